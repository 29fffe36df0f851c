package fewsh.generate;

import fewsh.WebGpu;

@WebGpu.Suite
class WebGpuSeq2SeqSuiteTest extends GoldenSeq2SeqTest {}
