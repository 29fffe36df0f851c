package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.Shared;
import fewsh.WebGpu;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.session.Placement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every float32 golden of the causal models again, on WebGPU; of SmolLM2 three tokens, which a driver on the CPU
/// takes a minute for.
@WebGpu.Suite
class WebGpuModelsSuiteTest extends GoldenModelsTest {
    @Override
    @ParameterizedTest
    @ValueSource(strings = "stories260K-gguf/tinyllm.gguf")
    void realModelsGiveTheReferenceNumbers(String file) throws IOException {
        super.realModelsGiveTheReferenceNumbers(file);
    }

    @Test
    void smollm2SaysWhatItSaysOnTheCpu() {
        LoadOptions cpu = LoadOptions.in(home);
        assertEquals(answer(cpu.withPrecision(Precision.FP32)), answer(WebGpu.options(home).withPrecision(Precision.FP32)));
    }

    private static List<Integer> answer(LoadOptions options) {
        List<Integer> ids = new ArrayList<>();
        Path model = Shared.path("models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf");
        try (CausalLm lm = CausalLm.open(model, options);
                KvCache cache = lm.cache();
                Decoding d = lm.decode(cache, lm.encode("The capital of France is"), SamplingConfig.GREEDY.withMaxTokens(3), 1)) {
            while (d.hasNext()) if (d.next() instanceof Step.Token token) ids.add(token.id());
        }
        return ids;
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "gemma3_text", "phi3"})
    void everythingButTheLogarithmOfTheAnswerRunsOnTheDevice(String folder) {
        try (CausalLm lm = CausalLm.open(Shared.path("models/tiny/" + folder), WebGpu.options(home))) {
            Placement placement = lm.about().placement();
            assertEquals(Set.of("LogSoftmax"), placement.nodes().get("cpu").keySet(), placement::toString);
            assertTrue(placement.of("webgpu") >= 16, placement::toString);
        }
    }
}
