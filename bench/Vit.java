import fewsh.encode.Classes;
import fewsh.encode.ImageClassifier;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;
import fewsh.vision.Picture;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// fewsh's half of `vit.py`: for each line on the standard input, reads and classifies all pictures of a folder and prints the
/// seconds that took; at the end of the input the scores of each picture, a line each, in the order of the labels.
///
/// ```
/// ./mvnw -q -pl runtime compile dependency:build-classpath -Dmdep.outputFile=target/classpath
/// java -cp runtime/target/classes:$(cat runtime/target/classpath) bench/Vit.java MODEL PICTURES PRECISION THREADS HOME
/// ```
void main(String[] args) throws Exception {
    List<Path> files;
    try (var all = Files.list(Path.of(args[1]))) {
        files = all.sorted().toList();
    }
    LoadOptions options = LoadOptions.in(Path.of(args[4])).withPrecision(Precision.parse(args[2])).withThreads(Integer.parseInt(args[3]));
    long begin = System.nanoTime();
    try (ImageClassifier model = ImageClassifier.open(Path.of(args[0]), options);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
        model.classify(Picture.read(files.getFirst()));
        IO.println((System.nanoTime() - begin) / 1e9);
        List<Classes> classes = List.of();
        while (in.readLine() != null) {
            begin = System.nanoTime();
            classes = model.classify(files.stream().map(Picture::read).toList());
            IO.println((System.nanoTime() - begin) / 1e9);
        }
        for (Classes each : classes)
            IO.println(each.all().stream().sorted(Comparator.comparing(c -> Integer.valueOf(c.label().substring(6))))
                    .map(c -> Float.toString(c.score())).collect(Collectors.joining(" ")));
    }
}
