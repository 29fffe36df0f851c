package fewsh.generate;

import fewsh.generate.GenerationConfig.EarlyStopping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The search for the best answer to one source: as many texts as there are beams, continued together.
///
/// Numbers are float32 and in the order of the reference, so that ids and scores are equal to its own; candidates that score
/// alike are taken in the order of their beams and then their ids. A beam has a slot, the row of the decoder that holds it, which
/// it keeps while it can.
/// Source: `_beam_search` of Hugging Face's transformers.
final class BeamSearch {
    /// What stands where there is no answer yet.
    private static final float NOTHING = -1e9f;

    /// A text on its way, or a candidate to become one.
    record Running(int[] ids, float score, int slot) {}

    private record Finished(int[] ids, float score, boolean whole) {}

    private final GenerationConfig config;
    private final int prompt;
    private final int kept;
    private List<Running> running = new ArrayList<>();
    private List<Finished> finished = new ArrayList<>();
    private boolean improvable = true;
    private boolean done;

    /// @param prompt what the decoder is given first
    BeamSearch(GenerationConfig config, int[] prompt) {
        this.config = config;
        this.prompt = prompt.length;
        this.kept = Math.max(2, 1 + config.eos().size()) * config.numBeams();
        for (int slot = 0; slot < config.numBeams(); slot++) {
            running.add(new Running(prompt, slot == 0 ? 0 : NOTHING, slot));
            finished.add(new Finished(prompt, NOTHING, false));
        }
    }

    /// The texts to continue, best first.
    List<Running> running() {
        return running;
    }

    boolean done() {
        return done;
    }

    /// Takes the next token of every running text.
    ///
    /// @param logprobs one row a text, in the order of `running`
    /// @return for each slot, the slot whose row it goes on from
    int[] step(float[][] logprobs) {
        List<Running> candidates = candidates(logprobs);
        int length = candidates.getFirst().ids.length - prompt;
        boolean[] ends = new boolean[candidates.size()];
        for (int i = 0; i < ends.length; i++) {
            int[] ids = candidates.get(i).ids;
            ends[i] = length >= config.maxNewTokens() || config.eos().contains(ids[ids.length - 1]);
        }
        List<Running> open = new ArrayList<>();
        for (int i = 0; i < ends.length; i++) {
            Running c = candidates.get(i);
            open.add(new Running(c.ids, ends[i] ? c.score + NOTHING : c.score, c.slot));
        }
        open.sort(Comparator.comparing(Running::score).reversed());
        finish(candidates, ends, length);
        int[] from = place(open.subList(0, config.numBeams()));
        improvable &= improvable(length);
        boolean full = finished.stream().allMatch(Finished::whole);
        boolean ended = true;
        for (boolean end : ends) ended &= end;
        done = !improvable || full && config.earlyStopping() == EarlyStopping.TRUE || ended;
        return from;
    }

    /// The best continuations of all texts, best first: `kept` of them, so that enough stay open when the best end.
    private List<Running> candidates(float[][] logprobs) {
        int vocab = logprobs[0].length;
        float[] scores = new float[kept];
        long[] places = new long[kept];
        int n = 0;
        for (int beam = 0; beam < logprobs.length; beam++) {
            float before = running.get(beam).score;
            float[] row = logprobs[beam];
            float least = n < kept ? Float.NaN : scores[kept - 1];
            for (int id = 0; id < vocab; id++) {
                float score = row[id] + before;
                if (score <= least) continue;                                               // never while there is room
                int at = n < kept ? n++ : kept - 1;
                for (; at > 0 && scores[at - 1] < score; at--) {
                    scores[at] = scores[at - 1];
                    places[at] = places[at - 1];
                }
                scores[at] = score;
                places[at] = (long) beam * vocab + id;
                if (n == kept) least = scores[kept - 1];
            }
        }
        List<Running> candidates = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Running parent = running.get((int) (places[i] / vocab));
            int[] ids = Arrays.copyOf(parent.ids, parent.ids.length + 1);
            ids[ids.length - 1] = (int) (places[i] % vocab);
            candidates.add(new Running(ids, scores[i], parent.slot));
        }
        return candidates;
    }

    /// Of the best candidates, those that end may take the place of a worse answer.
    private void finish(List<Running> candidates, boolean[] ends, int length) {
        boolean full = config.earlyStopping() == EarlyStopping.TRUE && finished.stream().allMatch(Finished::whole);
        if (full || !improvable) return;
        List<Finished> merged = new ArrayList<>(finished);
        float divisor = (float) Math.pow(length, config.lengthPenalty());
        for (int i = 0; i < config.numBeams(); i++)
            if (ends[i]) merged.add(new Finished(candidates.get(i).ids, candidates.get(i).score / divisor, true));
        merged.sort(Comparator.comparing(Finished::score).reversed());
        finished = new ArrayList<>(merged.subList(0, config.numBeams()));
    }

    /// Whether the best open text could become better than the worst answer.
    private boolean improvable(int length) {
        boolean never = config.earlyStopping() == EarlyStopping.NEVER && config.lengthPenalty() > 0;
        float best = running.getFirst().score / (float) Math.pow(never ? config.maxNewTokens() : length, config.lengthPenalty());
        float worst = finished.getLast().score;
        return finished.stream().anyMatch(f -> best > (f.whole ? worst : NOTHING));
    }

    /// Gives each text a slot: its parent's, for the first of a parent's, or one that is free.
    private int[] place(List<Running> next) {
        int[] from = new int[config.numBeams()];
        Arrays.fill(from, -1);
        Running[] placed = new Running[next.size()];
        for (int i = 0; i < placed.length; i++)
            if (from[next.get(i).slot] < 0) {
                placed[i] = next.get(i);
                from[next.get(i).slot] = next.get(i).slot;
            }
        int free = 0;
        for (int i = 0; i < placed.length; i++) {
            if (placed[i] != null) continue;
            while (from[free] >= 0) free++;
            from[free] = next.get(i).slot;
            placed[i] = new Running(next.get(i).ids, next.get(i).score, free);
        }
        running = List.of(placed);
        return from;
    }

    /// The answers found, best first; `prompt` is not part of them.
    List<Beam> best() {
        return finished.stream().filter(Finished::whole)
                .map(f -> new Beam(Arrays.stream(f.ids, prompt, f.ids.length).boxed().toList(), f.score)).toList();
    }
}
