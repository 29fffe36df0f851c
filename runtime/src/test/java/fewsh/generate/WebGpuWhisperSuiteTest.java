package fewsh.generate;

import fewsh.WebGpu;

@WebGpu.Suite
class WebGpuWhisperSuiteTest extends GoldenWhisperTest {}
