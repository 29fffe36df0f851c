package fewsh.encode;

import fewsh.WebGpu;

@WebGpu.Suite
class WebGpuEncodersSuiteTest extends GoldenEncodersTest {}
