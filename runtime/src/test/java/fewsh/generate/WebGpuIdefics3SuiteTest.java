package fewsh.generate;

import fewsh.WebGpu;

@WebGpu.Suite
class WebGpuIdefics3SuiteTest extends Idefics3GoldenTest {}
