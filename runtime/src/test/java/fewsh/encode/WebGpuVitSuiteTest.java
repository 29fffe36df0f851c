package fewsh.encode;

import fewsh.WebGpu;

@WebGpu.Suite
class WebGpuVitSuiteTest extends GoldenVitTest {}
