package fewsh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Keeps the package table of `docs/architecture.md` true, in both modules.
class ArchitectureTest {
    /// A package may use what its row lists, and what those rows list in turn; the root package, which is `UserError`, is
    /// for everyone. A row lists only rows above it, so there can be no cycle. A package that is not here yet needs a row.
    private static final String TABLE = """
            package  | uses                                                | libraries
            root     |                                                     |
            tensor   |                                                     |
            graph    | tensor                                              |
            onnx     | graph                                               | protobuf
            autodiff | graph                                               |
            weights  | tensor                                              | gson protobuf
            jinja    |                                                     |
            models   | graph weights jinja                                 | gson
            session  | onnx tensor                                         | onnxruntime
            load     | session models                                      | gson
            tokenize |                                                     | djl gson protobuf
            prompt   | jinja                                               | gson snakeyaml handlebars json-schema fastcsv
            export   | load tokenize                                       | gson
            vision   | models                                              | gson twelvemonkeys
            audio    | models                                              |
            encode   | load tokenize vision                                | gson
            generate | load tokenize prompt vision audio                   | gson
            ask      | generate                                            | gson
            eval     | ask                                                 | gson
            train    | autodiff models session prompt tokenize             | gson
            store    |                                                     | gson
            script   | ask eval train store encode export                  | gson polyglot
            shell    | script                                              | gson jline picocli
            """;

    /// What the JDK documents and exports, and everyone may use.
    private static final List<String> JDK = List.of("java.", "javax.", "com.sun.management.", "com.sun.net.httpserver.");

    private static final Map<String, String> LIBRARIES = Map.ofEntries(
            Map.entry("ai.onnxruntime.", "onnxruntime"),
            Map.entry("ai.djl.", "djl"),
            Map.entry("com.github.jknack.handlebars.", "handlebars"),
            Map.entry("com.google.gson.", "gson"),
            Map.entry("com.twelvemonkeys.", "twelvemonkeys"),
            Map.entry("com.google.protobuf.", "protobuf"),
            Map.entry("de.siegmar.fastcsv.", "fastcsv"),
            Map.entry("dev.harrel.jsonschema.", "json-schema"),
            Map.entry("org.graalvm.polyglot.", "polyglot"),
            Map.entry("org.jline.", "jline"),
            Map.entry("org.snakeyaml.engine.", "snakeyaml"),
            Map.entry("picocli.", "picocli"));

    record Row(Set<String> uses, Set<String> libraries) {}

    private static final Map<String, Row> ROWS = parse(TABLE);

    @TempDir Path folder;

    @Test
    void everyClassKeepsToThePackageTable() {
        JavaClasses classes = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
                .withImportOption(location -> !location.contains("-tests.jar")).importPackages("fewsh");
        assertTrue(classes.contain("fewsh.UserError") && classes.contain("fewsh.shell.Main"), "both modules are looked at");
        assertEquals(List.of(), violations(classes));
    }

    @Test
    void theTableInTheDocumentsIsTheSame() throws IOException {
        List<String> documented = Files.readString(Shared.project().resolve("docs/architecture.md")).lines()
                .filter(line -> line.matches("\\| `[a-z]+` \\|.*")).map(line -> {
                    String[] cells = line.split("\\|", -1);
                    return cells[1].strip().replace("`", "") + "|" + cells[3].strip() + "|" + cells[4].strip();
                }).toList();
        assertEquals(TABLE.lines().skip(1).map(line -> line.replaceAll(" *\\| *", "|").stripTrailing()).toList(), documented);
    }

    @Test
    void aPackageThatIsNotInTheTableIsRefused() throws IOException {
        assertEquals(List.of("fewsh.util is not in the table"), violationsOf("fewsh.util", "class Strings {}"));
    }

    @Test
    void aSubpackageIsRefused() throws IOException {
        assertEquals(List.of("fewsh.weights.gguf is not in the table"), violationsOf("fewsh.weights.gguf", "class Block {}"));
    }

    @Test
    void aDependencyThatTheTableDoesNotAllowIsRefused() throws IOException {
        assertEquals(List.of("fewsh.jinja.Loader uses fewsh.tensor.DType: jinja may not use tensor"),
                violationsOf("fewsh.jinja", "class Loader { fewsh.tensor.DType[] dtypes; }"));
    }

    @Test
    void whatAnAllowedPackageMayUseIsAllowedToo() throws IOException {
        assertEquals(List.of(), violationsOf("fewsh.generate", "class Decoding { fewsh.tensor.DType dtype; }"));
    }

    @Test
    void onlyTheShellUsesTheTerminal() throws IOException {
        assertEquals(List.of("fewsh.generate.Loud uses org.jline.terminal.Terminal: generate may not use jline"),
                violationsOf("fewsh.generate", "class Loud { org.jline.terminal.Terminal terminal; }"));
    }

    @Test
    void onlySessionsUseOnnxRuntimeAndOnlyTokenizersUseDjl() throws IOException {
        assertEquals(List.of(
                "fewsh.models.Eager uses ai.djl.huggingface.tokenizers.Encoding: models may not use djl",
                "fewsh.models.Eager uses ai.onnxruntime.OrtException: models may not use onnxruntime"),
                violationsOf("fewsh.models",
                        "class Eager { ai.onnxruntime.OrtException e; ai.djl.huggingface.tokenizers.Encoding f; }"));
    }

    @Test
    void aLibraryThatIsInNoRowIsRefused() throws IOException {
        assertEquals(List.of("fewsh.store.Logging uses org.slf4j.Logger: no row allows it"),
                violationsOf("fewsh.store", "class Logging { org.slf4j.Logger log; }"));
    }

    @Test
    void printingOutsideTheShellIsRefused() throws IOException {
        assertEquals(List.of(
                "fewsh.eval.Loud prints with java.lang.IO.println",
                "fewsh.eval.Loud prints with java.lang.RuntimeException.printStackTrace",
                "fewsh.eval.Loud prints with java.lang.System.err",
                "fewsh.eval.Loud prints with java.lang.System.out"),
                violationsOf("fewsh.eval", """
                        class Loud {
                            void f() {
                                System.out.print(1); System.err.print(2); IO.println(3); new RuntimeException().printStackTrace();
                            }
                        }"""));
    }

    @Test
    void theShellPrints() throws IOException {
        assertEquals(List.of(), violationsOf("fewsh.shell", "class Render { void f() { System.out.print(1); } }"));
    }

    @Test
    void theRootPackageHoldsNothingButUserError() throws IOException {
        assertEquals(List.of("fewsh.Utils is not UserError"), violationsOf("fewsh", "class Utils {}"));
    }

    @Test
    void aPackageWithoutPackageInfoIsRefused() throws IOException {
        compile("fewsh.audio", "class Mel {}");
        assertEquals(List.of("fewsh.audio has no package-info.java"), violations(new ClassFileImporter().importPath(folder)));
    }

    @Test
    void aRowThatLooksDownIsRefused() {
        IllegalStateException e = assertThrows(IllegalStateException.class,
                () -> parse("package | uses | libraries\na | b | \nb | a |\n"));
        assertEquals("the row of a lists b, which is not above it", e.getMessage());
    }

    private static Map<String, Row> parse(String table) {
        Map<String, Row> rows = new LinkedHashMap<>();
        table.lines().skip(1).forEach(line -> {
            String[] cells = line.split("\\|", -1);
            String name = cells[0].strip();
            Set<String> uses = new HashSet<>(List.of(name, "root"));
            for (String used : words(cells[1])) {
                Row row = rows.get(used);
                if (row == null) throw new IllegalStateException("the row of " + name + " lists " + used + ", which is not above it");
                uses.addAll(row.uses());
            }
            rows.put(name, new Row(uses, Set.copyOf(words(cells[2]))));
        });
        return rows;
    }

    private static List<String> words(String cell) {
        return cell.isBlank() ? List.of() : List.of(cell.strip().split(" +"));
    }

    private static List<String> violations(JavaClasses classes) {
        Set<String> found = new TreeSet<>();
        Set<String> packages = new TreeSet<>();
        Set<String> explained = new HashSet<>();
        for (JavaClass type : classes) {
            packages.add(type.getPackageName());
            if (type.getSimpleName().equals("package-info")) {
                explained.add(type.getPackageName());
                continue;
            }
            String here = shortName(type.getPackageName());
            Row row = ROWS.get(here);
            if (row == null) {
                found.add(type.getPackageName() + " is not in the table");
                continue;
            }
            if (here.equals("root") && !type.getName().matches("fewsh\\.UserError(\\$.*)?"))
                found.add(type.getName() + " is not UserError");
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                JavaClass target = dependency.getTargetClass().getBaseComponentType();
                String why = refusal(here, row, target);
                if (!why.isEmpty()) found.add(type.getName() + " uses " + target.getName() + ": " + why);
            }
            if (!here.equals("shell"))
                for (JavaAccess<?> access : type.getAccessesFromSelf())
                    if (prints(access))
                        found.add(type.getName() + " prints with " + access.getTargetOwner().getName() + "." + access.getName());
        }
        for (String name : packages)
            if (!explained.contains(name) && ROWS.containsKey(shortName(name))) found.add(name + " has no package-info.java");
        return new ArrayList<>(found);
    }

    private static String shortName(String packageName) {
        return packageName.equals("fewsh") ? "root" : packageName.substring("fewsh.".length());
    }

    private static String refusal(String here, Row row, JavaClass target) {
        String name = target.getName();
        if (target.isPrimitive() || JDK.stream().anyMatch(name::startsWith)) return "";
        if (name.startsWith("fewsh.")) {
            String there = shortName(target.getPackageName());
            return row.uses().contains(there) ? "" : here + " may not use " + there;
        }
        for (var library : LIBRARIES.entrySet())
            if (name.startsWith(library.getKey()))
                return row.libraries().contains(library.getValue()) ? "" : here + " may not use " + library.getValue();
        return "no row allows it";
    }

    private static boolean prints(JavaAccess<?> access) {
        return switch (access.getTargetOwner().getName()) {
            case "java.lang.System" -> Set.of("out", "err").contains(access.getName());
            case "java.lang.IO" -> true;
            default -> access.getName().equals("printStackTrace") && access.getTarget().getFullName().endsWith("()")
                    && access.getTargetOwner().isAssignableTo(Throwable.class);
        };
    }

    private List<String> violationsOf(String packageName, String source) throws IOException {
        compile(packageName, "");
        compile(packageName, source);
        return violations(new ClassFileImporter().importPath(folder));
    }

    /// Compiles one class, or package-info for an empty `source`, into the test's own folder.
    private void compile(String packageName, String source) throws IOException {
        String name = source.isEmpty() ? "package-info" : source.split(" ")[1];
        Path file = Files.createDirectories(folder.resolve("src")).resolve(name + ".java");
        Files.writeString(file, "package " + packageName + ";\n" + source);
        StringWriter messages = new StringWriter();
        var javac = ToolProvider.getSystemJavaCompiler();
        try (var files = javac.getStandardFileManager(null, null, null)) {
            List<String> options = List.of("-d", folder.toString(), "-Xpkginfo:always", "-proc:none",
                    "-cp", System.getProperty("java.class.path"));
            boolean done = javac.getTask(messages, files, null, options, null, files.getJavaFileObjects(file)).call();
            assertTrue(done, messages.toString());
        }
    }
}
