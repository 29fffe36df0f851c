import fewsh.encode.TextEncoder;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// fewsh's half of `embed.py`: for each line on the standard input, embeds all texts and prints the seconds that took; at the end
/// of the input each vector, a line each.
///
/// ```
/// ./mvnw -q -pl runtime compile dependency:build-classpath -Dmdep.outputFile=target/classpath
/// java -cp runtime/target/classes:$(cat runtime/target/classpath) bench/Embed.java MODEL TEXTS PRECISION THREADS HOME
/// ```
void main(String[] args) throws Exception {
    List<String> texts = Files.readAllLines(Path.of(args[1]));
    LoadOptions options = LoadOptions.in(Path.of(args[4])).withPrecision(Precision.parse(args[2])).withThreads(Integer.parseInt(args[3]));
    long begin = System.nanoTime();
    try (TextEncoder encoder = TextEncoder.open(Path.of(args[0]), options);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
        encoder.embed(texts.subList(0, 1));
        IO.println((System.nanoTime() - begin) / 1e9);
        List<float[]> vectors = List.of();
        while (in.readLine() != null) {
            begin = System.nanoTime();
            vectors = encoder.embed(texts);
            IO.println((System.nanoTime() - begin) / 1e9);
        }
        for (float[] v : vectors)
            IO.println(IntStream.range(0, v.length).mapToObj(i -> Float.toString(v[i])).collect(Collectors.joining(" ")));
    }
}
