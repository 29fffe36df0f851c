package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import fewsh.UserError;
import fewsh.WebGpu;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Without the golden of 4 bits, which holds the CPU's rounding of activations.
@WebGpu.Suite
class WebGpuExportsSuiteTest extends GoldenExportsTest {
    @Override
    @ParameterizedTest
    @CsvSource({"gpt2-optimum, auto, model.onnx, true", "llama-optimum, fp32, model.onnx, true",
            "llama-genai-fp32, auto, model.onnx, true"})
    void oneGraphGivesItsGoldenNumbers(String folder, String precision, String file, boolean exact) throws IOException {
        super.oneGraphGivesItsGoldenNumbers(folder, precision, file, exact);
    }

    @Override
    @ParameterizedTest
    @ValueSource(strings = {"model.onnx", "model_fp16.onnx", "model_uint8.onnx", "model_q4.onnx"})
    void aFileOfAFolderOpensByItself(String name) throws IOException {
        try {
            super.aFileOfAFolderOpensByItself(name);
        } catch (UserError e) {
            assertEquals("model_fp16.onnx", name);          // SwiftShader has no numbers of 16 bits
            assertEquals("--device webgpu: the device has no 16-bit floats (Program Gather requires f16 but the device does not "
                    + "support it.)", e.getMessage());
        }
    }
}
