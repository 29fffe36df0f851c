package fewsh;

import fewsh.store.Home;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Third-party files that some tests need: models with golden outputs, other people's conformance vectors.
///
/// They are looked for in the folder that `FEWSH_SHARED` names, `../shared` beside the project when it names none.
public final class Shared {
    private Shared() {}

    /// A test class that cannot run without the files or folders named. Where one is missing the class is not run and a line
    /// says so at the end of the build; with `FEWSH_SHARED_REQUIRED=1`, as in `.ci/run`, that is a failure. It holds for a class
    /// that extends it too.
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ExtendWith(Condition.class)
    @Inherited
    public @interface Suite {
        String[] value();

        /// Models that `fewsh pull` has put into the store.
        String[] models() default {};

        /// Programs on the PATH without which it cannot run either.
        String[] programs() default {};
    }

    /// The file or folder `name` of the shared folder.
    public static Path path(String name) {
        return root().resolve(name);
    }

    /// The folder of a model in the store.
    public static Path model(String name) {
        return Home.of(System.getenv()).models().resolve(name);
    }

    /// The project's root folder; tests run in a module's folder.
    public static Path project() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("runtime")) ? here : here.getParent();
    }

    private static Path root() {
        String named = System.getenv("FEWSH_SHARED");
        return named != null ? Path.of(named) : project().resolveSibling("shared");
    }

    /// Decides whether a `Suite` runs.
    public static final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            Suite suite = context.getRequiredTestClass().getAnnotation(Suite.class);
            if (suite == null || context.getTestMethod().isPresent()) return ConditionEvaluationResult.enabled("");
            for (String need : suite.value())
                if (!Files.exists(path(need))) return missing(context.getRequiredTestClass(), need);
            for (String model : suite.models())
                if (!Files.exists(model(model)))
                    return missing(context.getRequiredTestClass(), "the model " + model + " (fewsh pull " + model + ")");
            for (String program : suite.programs())
                if (!onPath(program)) return missing(context.getRequiredTestClass(), "the program " + program);
            return ConditionEvaluationResult.enabled("");
        }

        private static boolean onPath(String program) {
            return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
        }

        static ConditionEvaluationResult missing(Class<?> suite, String need) {
            String line = suite.getName() + ": needs " + need;
            if ("1".equals(System.getenv("FEWSH_SHARED_REQUIRED")))
                throw new AssertionError(line + ", which is not there (third-party files are looked for in " + root() + ")");
            try {
                Path list = project().resolve("target/not-run.txt");
                Files.createDirectories(list.getParent());
                Files.writeString(list, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return ConditionEvaluationResult.disabled(line);
        }
    }
}
