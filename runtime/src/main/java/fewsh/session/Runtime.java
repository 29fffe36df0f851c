package fewsh.session;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtLoggingLevel;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/// The process's one ONNX Runtime environment, with telemetry off.
final class Runtime {
    private Runtime() {}

    private static final class Holder {
        static final OrtEnvironment ENVIRONMENT = create();
    }

    static OrtEnvironment environment() {
        return Holder.ENVIRONMENT;
    }

    /// The runtime reads the switch when its environment is made, so a process started without it sets it here.
    ///
    /// It logs nothing short of its end: what fails is thrown, and an interrupted run is no failure.
    private static OrtEnvironment create() {
        if (!"1".equals(System.getenv("ORT_DISABLE_TELEMETRY"))) setEnvironment("ORT_DISABLE_TELEMETRY", "1");
        return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "fewsh");
    }

    private static void setEnvironment(String name, String value) {
        Linker linker = Linker.nativeLinker();
        boolean windows = System.getProperty("os.name").startsWith("Windows");
        var function = linker.defaultLookup().findOrThrow(windows ? "_putenv_s" : "setenv");
        FunctionDescriptor type = windows
                ? FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS)
                : FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
        var handle = linker.downcallHandle(function, type);
        try (Arena arena = Arena.ofConfined()) {
            int failed = windows ? (int) handle.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value))
                    : (int) handle.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
            if (failed != 0) throw new IllegalStateException("could not set " + name);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("could not set " + name, e);
        }
    }
}
