package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.models.TinyModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A cache that several branches of a conversation share: each goes on as if it had the cache to itself, to the last bit.
class KvCacheTest {
    @TempDir
    static Path folder;

    private static final List<CausalLm> MODELS = new ArrayList<>();

    @BeforeAll
    static void make() throws IOException {
        LoadOptions options = LoadOptions.in(folder.resolve("home")).withThreads(2);
        Path llama = TinyModels.llama(folder.resolve("llama"), 1);
        Path gpt2 = TinyModels.gpt2(folder.resolve("gpt2"), 2);
        for (Precision precision : List.of(Precision.FP32, Precision.INT8))
            for (Path model : List.of(llama, gpt2)) MODELS.add(CausalLm.open(model, options.withPrecision(precision)));
    }

    @AfterAll
    static void close() {
        MODELS.forEach(CausalLm::close);
    }

    /// Tokens with their logprobs and alternatives, to the bit; and how many positions were there already.
    private record Said(List<Step.Token> tokens, int reused) {}

    /// One branch: what was said so far, and where it came from.
    private static final class Branch {
        private final CausalLm lm;
        private int[] ids = new int[0];

        Branch(CausalLm lm) {
            this.lm = lm;
        }

        Branch fork() {
            Branch branch = new Branch(lm);
            branch.ids = ids;
            return branch;
        }

        Said say(KvCache cache, long seed, int length) {
            return say(cache, IntStream.concat(Arrays.stream(ids), new Random(seed).ints(length, 0, 256)).toArray());
        }

        Said say(KvCache cache, int[] prompt) {
            SamplingConfig config = SamplingConfig.GREEDY.withMaxTokens(6).withAlternatives(4);
            List<Step.Token> tokens = new ArrayList<>();
            try (Decoding decoding = lm.decode(cache, prompt, config, 1)) {
                while (decoding.hasNext()) if (decoding.next() instanceof Step.Token token) tokens.add(token);
                ids = cache.ids();
                return new Said(tokens, decoding.reusedTokens());
            }
        }
    }

    private static void goTo(KvCache cache, Branch to, Branch... all) {
        cache.keep(Arrays.stream(all).map(b -> b.ids).toList());
        assertEquals(to.ids.length, cache.reuse(to.ids, to.ids.length));
        cache.keep(Arrays.stream(all).filter(b -> b != to).map(b -> b.ids).toList());
    }

    private static long bytesPerPosition(CausalLm lm) {
        return lm.layout().cacheBytes();
    }

    @Test
    void aBranchThatWasLeftGoesOnAsIfItNeverWas() {
        for (CausalLm lm : MODELS)
            try (KvCache shared = lm.cache(); KvCache alone = lm.cache()) {
                Branch stayed = new Branch(lm);
                Branch main = new Branch(lm);
                stayed.say(alone, 1, 40);
                main.say(shared, 1, 40);
                Branch poem = main.fork();
                stayed.say(alone, 2, 30);
                main.say(shared, 2, 30);
                goTo(shared, poem, main, poem);
                assertEquals((main.ids.length - poem.ids.length) * bytesPerPosition(lm), shared.keptBytes());
                poem.say(shared, 3, 50);
                goTo(shared, main, main, poem);
                Said here = main.say(shared, 4, 7);
                assertEquals(stayed.say(alone, 4, 7), here);
                assertEquals(main.ids.length - 6 - 7 + 1, here.reused());
            }
    }

    @Test
    void twoAnswersToOnePromptAreTwoBranches() {
        for (CausalLm lm : MODELS)
            try (KvCache shared = lm.cache(); KvCache alone = lm.cache(); KvCache other = lm.cache()) {
                int[] prompt = new Random(1).ints(60, 0, 256).toArray();
                Branch stayed = new Branch(lm);
                stayed.say(alone, prompt);
                Branch main = new Branch(lm);
                main.say(shared, prompt);
                Branch again = main.fork();
                shared.keep(List.of(main.ids));
                assertEquals(58, again.say(shared, prompt).reused());
                Branch alike = new Branch(lm);
                alike.say(other, prompt);
                alike.say(other, prompt);
                goTo(shared, main, main, again);
                goTo(shared, again, main, again);
                goTo(shared, main, main, again);
                assertEquals(stayed.say(alone, 2, 9), main.say(shared, 2, 9));
                goTo(shared, again, main, again);
                assertEquals(alike.say(other, 3, 9), again.say(shared, 3, 9));
            }
    }

    @Test
    void sayingTheSameOftenKeepsNothingMore() {
        CausalLm lm = MODELS.getFirst();
        try (KvCache cache = lm.cache()) {
            int[] prompt = new Random(1).ints(60, 0, 256).toArray();
            Branch main = new Branch(lm);
            main.say(cache, prompt);
            Branch again = main.fork();
            cache.keep(List.of(main.ids));
            again.say(cache, prompt);
            long once = cache.keptBytes();
            for (int i = 0; i < 5; i++) again.say(cache, prompt);
            assertEquals(once, cache.keptBytes());
            assertEquals((main.ids.length - 58) * bytesPerPosition(lm), once);
        }
    }

    /// Forks, goes and takes back at random; every branch beside a cache of its own that nobody shares.
    @Test
    void anyTreeOfBranchesSaysWhatSeparateCachesSay() {
        CausalLm lm = MODELS.getFirst();
        for (long seed = 0; seed < 12; seed++) {
            Random random = new Random(seed);
            TreeMap<Integer, Branch> branches = new TreeMap<>();
            List<KvCache> caches = new ArrayList<>();
            List<Branch> alone = new ArrayList<>();
            try (KvCache shared = lm.cache()) {
                Branch current = new Branch(lm);
                branches.put(0, current);
                alone.add(new Branch(lm));
                caches.add(lm.cache());
                int at = 0;
                for (int step = 0; step < 25; step++) {
                    Branch[] all = branches.values().toArray(Branch[]::new);
                    String where = "seed " + seed + ", step " + step;
                    switch (random.nextInt(4)) {
                        case 0 -> {
                            int forked = branches.size();
                            branches.put(forked, branches.get(at).fork());
                            alone.add(alone.get(at).fork());
                            KvCache copy = caches.get(at).fanOut(1, 512);
                            caches.add(copy);
                            goTo(shared, branches.get(forked), branches.values().toArray(Branch[]::new));
                            at = forked;
                        }
                        case 1 -> {
                            at = random.nextInt(branches.size());
                            goTo(shared, branches.get(at), all);
                        }
                        case 2 -> {
                            int back = random.nextInt(1 + branches.get(at).ids.length);
                            branches.get(at).ids = Arrays.copyOf(branches.get(at).ids, back);
                            alone.get(at).ids = branches.get(at).ids;
                            shared.trim(back);
                            caches.get(at).trim(back);
                        }
                        default -> {
                            if (branches.get(at).ids.length > 400) continue;
                            long words = random.nextLong();
                            Said expected = alone.get(at).say(caches.get(at), words, 3 + (int) (words & 15));
                            Said got = branches.get(at).say(shared, words, 3 + (int) (words & 15));
                            assertEquals(expected, got, where);
                        }
                    }
                }
                shared.keep(List.of());
                assertEquals(0, shared.keptBytes());
            } finally {
                caches.forEach(KvCache::close);
            }
        }
    }

    @Test
    void whatNobodyKeepsIsGone() {
        CausalLm lm = MODELS.getFirst();
        try (KvCache cache = lm.cache()) {
            Branch main = new Branch(lm);
            main.say(cache, 1, 40);
            cache.trim(10);
            assertEquals(0, cache.keptBytes());
            assertEquals(10, cache.reuse(main.ids, main.ids.length));
            main.say(cache, 2, 40);
            cache.keep(List.of(main.ids));
            cache.trim(10);
            assertTrue(cache.keptBytes() > 0);
            cache.keep(List.of(Arrays.copyOf(main.ids, 10)));
            assertEquals(0, cache.keptBytes());
        }
    }
}
