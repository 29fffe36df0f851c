"""llama.cpp's half of the comparison, by llama-cpp-python's low-level calls: one test a process, one JSON line out.

usage: peer.py MODEL TEST THREADS     TEST: ppN | tgN | tgN@D | samplesR (R samples of one 512-token prompt, 128 tokens each)

Context parameters are llama.cpp's defaults but for sizes and threads, as llama-bench has them. The prompt's tokens are random;
a first run warms up and does not count.
"""
import ctypes
import json
import random
import re
import resource
import sys
import time

import llama_cpp as ll


@ll.llama_log_callback
def quiet(level, text, data):
    pass


def main():
    path, test, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    ll.llama_log_set(quiet, ctypes.c_void_p(0))
    ll.llama_backend_init()
    start = time.perf_counter()
    model = ll.llama_model_load_from_file(path.encode(), ll.llama_model_default_params())
    vocab = ll.llama_model_get_vocab(model)
    size = ll.llama_vocab_n_tokens(vocab)
    rows = int(test[7:]) if test.startswith("samples") else 1
    p = ll.llama_context_default_params()
    p.n_ctx = 2048 if rows == 1 else 512 + rows * 130
    p.n_batch, p.n_ubatch = 2048, 512
    p.n_seq_max = rows
    if rows > 1:
        p.kv_unified = True
    p.n_threads = p.n_threads_batch = threads
    context = ll.llama_init_from_model(model, p)
    load = time.perf_counter() - start
    memory = ll.llama_get_memory(context)
    rng = random.Random(42)

    def tokens(n):
        return [rng.randrange(100, size) for _ in range(n)]

    def decode(entries):
        """entries: (token, position, sequence, wants logits)"""
        batch = ll.llama_batch_init(len(entries), 0, rows)
        batch.n_tokens = len(entries)
        for i, (token, position, sequence, logits) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, 1, logits
            batch.seq_id[i][0] = sequence
        if ll.llama_decode(context, batch) != 0:
            raise SystemExit("llama_decode failed")
        ll.llama_batch_free(batch)

    def prefill(n):
        ids = tokens(n)
        for at in range(0, n, 512):
            part = ids[at:at + 512]
            decode([(t, at + i, 0, i == len(part) - 1) for i, t in enumerate(part)])
        ll.llama_synchronize(context)

    def once():
        ll.llama_memory_clear(memory, True)
        if m := re.fullmatch(r"pp(\d+)", test):
            begin = time.perf_counter()
            prefill(int(m[1]))
            return int(m[1]) / (time.perf_counter() - begin)
        if m := re.fullmatch(r"tg(\d+)(?:@(\d+))?", test):
            depth = int(m[2] or 1)
            prefill(depth)
            begin = time.perf_counter()
            for i in range(int(m[1])):
                decode([(rng.randrange(100, size), depth + i, 0, True)])
                ll.llama_synchronize(context)
            return int(m[1]) / (time.perf_counter() - begin)
        begin = time.perf_counter()
        prefill(512)
        samplers = []
        for r in range(rows):
            chain = ll.llama_sampler_chain_init(ll.llama_sampler_chain_default_params())
            ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_temp(0.8))
            ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_dist(7 + r))
            samplers.append(chain)
            if r:
                ll.llama_memory_seq_cp(memory, 0, r, -1, -1)
        drawn = [ll.llama_sampler_sample(s, context, -1) for s in samplers]
        for i in range(127):
            decode([(t, 512 + i, r, True) for r, t in enumerate(drawn)])
            drawn = [ll.llama_sampler_sample(s, context, r) for r, s in enumerate(samplers)]
        for s in samplers:
            ll.llama_sampler_free(s)
        return rows * 128 / (time.perf_counter() - begin)

    once()
    rate = once()
    print(json.dumps({"test": test, "tokens_per_second": rate, "load": load,
                      "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main()
