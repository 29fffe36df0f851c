package fewsh.ask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.prompt.Extraction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// The mathematics of voting, against enumeration and simulation. An answer is a number, −1 a path without one.
class EarlyStopTest {
    private static final double ROUNDING = 1e-12;

    private static Tally tally(List<Integer> answers) {
        Tally tally = new Tally(Extraction.WHOLE);
        for (int answer : answers) tally.add(answer < 0 ? Optional.empty() : Optional.of(String.valueOf(answer)));
        return tally;
    }

    @Test
    void theMajorityWinsAndOfEqualsTheFirstSeen() {
        Tally tally = tally(List.of(3, 1, 2, 1, -1, 3, 2, -1, 4));
        assertEquals(Optional.of("3"), tally.winner());
        assertEquals("{3=2, 1=2, 2=2, 4=1}", tally.ordered().toString());
        assertEquals(2, tally.unparsable());
        assertEquals(9, tally.samples());
        assertEquals(0, tally.lead());
        assertEquals(Optional.empty(), tally(List.of(-1, -1)).winner());
    }

    /// Every beginning of a vote of up to 7 over three answers and none, each with every way to go on.
    @Test
    void anOutcomeIsCertainExactlyIfNothingThatFollowsChangesIt() {
        for (int n = 1; n <= 7; n++) check(new ArrayList<>(), n);
    }

    private static void check(List<Integer> seen, int n) {
        boolean changes = seen.isEmpty() || tally(seen).winner().isEmpty() ? seen.size() < n
                : !sameWinner(new ArrayList<>(seen), n, tally(seen).winner());
        assertEquals(!changes, tally(seen).isCertain(n - seen.size()), seen + " of " + n);
        if (seen.size() == n) return;
        // a new answer has the smallest number that is free
        int next = Math.min(2, seen.stream().mapToInt(i -> i).max().orElse(-1) + 1);
        for (int answer = -1; answer <= next; answer++) {
            List<Integer> more = new ArrayList<>(seen);
            more.add(answer);
            check(more, n);
        }
    }

    /// Whether all completions keep the winner.
    private static boolean sameWinner(List<Integer> seen, int n, Optional<String> winner) {
        if (seen.size() == n) return tally(seen).winner().equals(winner);
        for (int answer = -1; answer <= 3; answer++) {
            seen.add(answer);
            boolean same = sameWinner(seen, n, winner);
            seen.removeLast();
            if (!same) return false;
        }
        return true;
    }

    @Test
    void theLeadIsThatOfTheReflectionPrinciple() {
        for (int n : new int[] {4, 8, 16, 40})
            for (int lead = 1; lead <= n / 2; lead++) {
                double two = choose(n, n / 2 + lead) / choose(n, n / 2);
                // where it is larger, splits into more answers exceed it
                if (two < 0.2) assertEquals(two, EarlyStop.bound(n, lead), ROUNDING, n + " " + lead);
            }
        assertEquals(List.of(4, 5, 8), List.of(EarlyStop.of(8, 0.05).lead(), EarlyStop.of(16, 0.05).lead(),
                EarlyStop.of(40, 0.05).lead()));
        assertEquals(5, EarlyStop.of(8, 0).lead());                     // more than half
    }

    private static double choose(int n, int k) {
        if (k < 0 || k > n) return 0;
        double ways = 1;
        for (int i = 1; i <= k; i++) ways = ways * (n - k + i) / i;
        return ways;
    }

    /// The sum over all losers, by the reflection principle, for every way in which n paths can split.
    @Test
    void noSplitOfTheVotesExceedsTheBound() {
        for (int n = 2; n <= 32; n++)
            for (int lead = 1; lead <= n / 2; lead++) {
                double bound = EarlyStop.bound(n, lead);
                if (bound > 0.5) continue;                              // no error that is of use
                int d = lead;
                int all = n;
                splits(n, n, new ArrayList<>(), split -> {
                    double error = 0;
                    for (int loser : split.subList(1, split.size()))
                        error += choose(split.getFirst() + loser, split.getFirst() + d) / choose(split.getFirst() + loser, loser);
                    assertTrue(error <= bound + ROUNDING, split + " of " + all + " at " + d + ": " + error + " > " + bound);
                });
            }
    }

    /// Every list of numbers from the largest to the smallest that add up to `n` or less: the rest has no answer.
    private static void splits(int n, int largest, List<Integer> begun, java.util.function.Consumer<List<Integer>> to) {
        if (!begun.isEmpty()) to.accept(begun);
        for (int next = Math.min(n, largest); next >= 1; next--) {
            begun.add(next);
            splits(n - next, next, begun, to);
            begun.removeLast();
        }
    }

    /// Every order of every outcome of up to 8 paths, with a look after each path: more looks than are taken.
    @Test
    void theErrorIsBelowTheBoundForEveryOutcome() {
        for (int n = 2; n <= 8; n++)
            for (double error : n < 8 ? new double[] {0, 0.01, 0.05, 0.1, 0.2, 0.4} : new double[] {0.05}) {
                EarlyStop early = EarlyStop.of(n, error);
                int all = n;
                splits(n, n, new ArrayList<>(), split -> {
                    int[] left = new int[split.size() + 1];
                    for (int i = 0; i < split.size(); i++) left[i + 1] = split.get(i);
                    left[0] = all - Arrays.stream(left).sum();
                    long[] wrongOfAll = new long[2];
                    orders(left, new ArrayList<>(), all, early, Optional.empty(), wrongOfAll);
                    assertTrue(wrongOfAll[0] <= error * wrongOfAll[1] + ROUNDING,
                            split + " of " + all + ": " + wrongOfAll[0] + " of " + wrongOfAll[1]);
                });
            }
    }

    private static void orders(int[] left, List<Integer> seen, int n, EarlyStop early, Optional<String> decided, long[] counts) {
        if (seen.size() == n) {
            counts[1]++;
            if (decided.isPresent() && !decided.equals(tally(seen).winner())) counts[0]++;
            return;
        }
        for (int i = 0; i < left.length; i++) {
            if (left[i] == 0) continue;
            left[i]--;
            seen.add(i - 1);
            Tally now = tally(seen);
            orders(left, seen, n, early, decided.isEmpty() && early.settled(now) ? now.winner() : decided, counts);
            seen.removeLast();
            left[i]++;
        }
    }

    /// Waves as they are taken, on questions from easy to hopeless.
    @Test
    void simulatedVotesErrLessThanTheBoundAndSaveSamples() {
        double[][] questions = {{0.95, 0.05}, {0.8, 0.1, 0.1}, {0.6, 0.4}, {0.5, 0.5}, {0.4, 0.3, 0.3}, {0.34, 0.33, 0.33},
            {0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, {0.55, 0.45}, {0.2, 0.2, 0.2, 0.2, 0.2}};
        Random random = new Random(20);
        for (int n : new int[] {8, 16, 40, 64}) {
            EarlyStop early = EarlyStop.of(n, 0.05);
            int easy = 0;
            for (double[] question : questions) {
                int wrong = 0;
                int drawn = 0;
                int runs = 2000;
                for (int run = 0; run < runs; run++) {
                    List<Integer> all = new ArrayList<>();
                    for (int i = 0; i < n; i++) all.add(random.nextDouble() < 0.1 ? -1 : answer(question, random.nextDouble()));
                    int k = 0;
                    do k += early.wave(tally(all.subList(0, k)));
                    while (k < n && !early.settled(tally(all.subList(0, k))));
                    drawn += k;
                    if (!tally(all.subList(0, k)).winner().equals(tally(all).winner())) wrong++;
                }
                // the bound itself, plus four standard deviations of the simulation
                double most = runs * (0.05 + 4 * Math.sqrt(0.05 * 0.95 / runs));
                assertTrue(wrong <= most, n + " " + Arrays.toString(question) + ": " + wrong);
                if (question == questions[0]) easy = drawn / runs;
            }
            assertTrue(easy <= n * 0.7, "an easy question takes " + easy + " of " + n);
        }
    }

    private static int answer(double[] question, double uniform) {
        int answer = 0;
        for (double rest = uniform - question[0]; rest > 0 && answer < question.length - 1; rest -= question[answer]) answer++;
        return answer;
    }

    @Test
    void wavesAddUpAndNoneIsOfOnePathAlone() {
        for (int n = 2; n <= 70; n++) {
            EarlyStop early = EarlyStop.of(n, 0.05);
            List<Integer> seen = new ArrayList<>();
            Random random = new Random(n);
            while (seen.size() < n) {
                int wave = early.wave(tally(seen));
                assertTrue(wave >= 2 && seen.size() + wave <= n, n + ": " + wave + " after " + seen);
                for (int i = 0; i < wave; i++) seen.add(random.nextInt(-1, 4));
            }
        }
    }
}
