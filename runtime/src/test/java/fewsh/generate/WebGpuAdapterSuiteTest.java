package fewsh.generate;

import fewsh.WebGpu;

@WebGpu.Suite
class WebGpuAdapterSuiteTest extends AdapterGoldenTest {}
