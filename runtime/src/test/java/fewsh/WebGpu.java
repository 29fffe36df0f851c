package fewsh;

import fewsh.load.LoadOptions;
import fewsh.session.Device;
import fewsh.store.Home;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Golden outputs on WebGPU: a test class that loads its models with [#options] is run there again by an empty class that
/// extends it and is a [Suite]. Same numbers, same tolerances.
///
/// The plugin is that of the store (`fewsh pull provider:webgpu`); what it runs on is the environment's, a GPU or a driver that
/// computes on the CPU. `.ci/run` sets up the latter.
public final class WebGpu {
    private static Device device = Device.CPU;

    private WebGpu() {}

    /// A test class that runs on WebGPU. Without plugin and adapter it is not run and named, as a [Shared.Suite].
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ExtendWith(Switch.class)
    public @interface Suite {}

    /// As `LoadOptions.in(home)`, and in a [Suite] on WebGPU.
    public static LoadOptions options(Path home) {
        Path providers = home.resolve("providers");
        try {
            if (!device.equals(Device.CPU) && !Files.exists(providers)) Files.createSymbolicLink(providers, plugins());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return LoadOptions.in(home).withDevice(device);
    }

    private static Path plugins() {
        return Home.of(System.getenv()).providers();
    }

    static final class Switch implements ExecutionCondition, BeforeAllCallback, AfterAllCallback {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if (context.getTestMethod().isPresent()) return ConditionEvaluationResult.enabled("");
            Device.Status status = Device.all(plugins()).get(Device.Provider.WEBGPU.ordinal());
            return status.available() ? ConditionEvaluationResult.enabled("")
                    : Shared.Condition.missing(context.getRequiredTestClass(), "WebGPU (" + status.detail() + ")");
        }

        @Override
        public void beforeAll(ExtensionContext context) {
            device = new Device(Device.Provider.WEBGPU, 0);
        }

        @Override
        public void afterAll(ExtensionContext context) {
            device = Device.CPU;
        }
    }
}
