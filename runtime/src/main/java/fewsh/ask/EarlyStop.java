package fewsh.ask;

/// When a vote may end before all of its paths are sampled.
///
/// It ends when the outcome can no longer change, or when the leader is `lead` votes ahead of the next. The lead is the
/// smallest that a leader who is not the winner among all `n` reaches with a probability of at most `error`, whatever the
/// distribution of the answers, and however often one looks:
///
/// Paths are independent and alike, so given all `n` outcomes every order of them is equally likely. For the votes of a pair, a
/// loser with `a` and the winner with `b ≥ a` of all `n`, the loser's lead is a walk of `a` steps up and `b` down in random
/// order; by the reflection principle it ever reaches `d` with probability `C(a + b, b + d) / C(a + b, a)`, which is greatest for
/// `a = b = n/2`. A loser who leads everybody also leads the winner by as much, so the sum over all losers bounds the error;
/// with `g` answers of `n/g` votes each it is `(g − 1) C(2n/g, n/g + d) / C(2n/g, n/g)`, and no other split has more (tested
/// for all splits of all n up to 32 where it is at most 1/2). If winner and loser have as many votes the first seen wins, which
/// is the one who leads early rather than the other. Paths without an answer only make a walk shorter.
///
/// So the bound holds for any question, not on average over questions, as it does for the Beta criterion of adaptive
/// consistency (Aggarwal et al. 2023), which asks the same thing of a prior. For n = 8 the lead is 4 at 5 %, for 16 it is 5, for
/// 40 it is 8.
///
/// Looks are taken after whole waves of paths, all of them at their ends and counted by index, so that neither a path's
/// length nor timing decides what is seen.
///
/// Source of the reflection principle: Feller, An Introduction to Probability Theory and Its Applications I, chapter III.
///
/// @param n paths in all
/// @param error in [0, 1); 0 ends on certainty alone
record EarlyStop(int n, double error, int lead) {
    /// Paths of a wave: fewer decode less efficiently, more sample past the point where the outcome is settled.
    private static final int WAVE = 4;

    static EarlyStop of(int n, double error) {
        int lead = 1;
        while (bound(n, lead) > error) lead++;
        return new EarlyStop(n, error, lead);
    }

    /// The greatest probability that a loser ever leads by `lead`.
    static double bound(int n, int lead) {
        double greatest = 0;
        for (int answers = 2; answers <= n; answers++) {
            int each = n / answers;
            double reached = answers - 1;
            for (int i = 1; i <= lead; i++) reached *= Math.max(0, each - i + 1) / (double) (each + i);
            greatest = Math.max(greatest, reached);
        }
        return greatest;
    }

    boolean settled(Tally tally) {
        return tally.isCertain(n - tally.samples()) || tally.winner().isPresent() && tally.lead() >= lead;
    }

    /// How many paths to sample before the next look: no fewer than could settle the outcome.
    int wave(Tally tally) {
        int left = n - tally.samples();
        int ahead = tally.lead();
        // all to the leader: the lead is reached, or is more than what is then left
        int needed = Math.min(lead - ahead, (left - ahead) / 2 + 1);
        int wave = Math.min(left, Math.max(WAVE, needed));
        return left - wave == 1 ? left : wave;
    }
}
