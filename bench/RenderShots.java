import fewsh.prompt.Body;
import fewsh.prompt.Composition;
import fewsh.prompt.Message;
import fewsh.prompt.Pool;
import fewsh.prompt.Shots;
import fewsh.prompt.Tokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Milliseconds to choose 50 of 10,000 examples and render the prompt, warm: median and 95th percentile of 500 items each.
///
/// ```
/// ./mvnw -q -pl runtime compile dependency:build-classpath -Dmdep.outputFile=target/classpath
/// java -cp runtime/target/classes:$(cat runtime/target/classpath) bench/RenderShots.java
/// ```
void main() {
    SplittableRandom random = new SplittableRandom(1);
    List<Map<String, Object>> examples = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) examples.add(Map.of("text", sentence(random), "label",
            i % 2 == 0 ? "positive" : "negative"));
    Body body = inputs -> List.of(new Message("system", "Judge the review."), new Message("user", "Review: "
            + inputs.get("text")));
    IO.println("| by | index ms | median ms | 95 % ms |\n| --- | --- | --- | --- |");
    for (Shots.By by : Shots.By.values()) {
        Shots shots = new Shots(examples, 50, by, 1234, "label", "Review: {{ text }}", "{{ label }}", 0, "");
        long begin = System.nanoTime();
        Pool pool = Pool.of(shots);
        double index = (System.nanoTime() - begin) / 1e6;
        Composition composition = Composition.EMPTY.with(c -> c.shots = shots);
        double[] times = new double[1000];
        for (int i = 0; i < times.length; i++) {
            Map<String, Object> item = Map.of("text", sentence(random));
            long start = System.nanoTime();
            composition.compose(body, item, Tokens.NONE, pool, Integer.MAX_VALUE).text();
            times[i] = (System.nanoTime() - start) / 1e6;
        }
        double[] warm = Arrays.copyOfRange(times, 500, 1000);
        Arrays.sort(warm);
        IO.println("| %s | %.1f | %.2f | %.2f |".formatted(by.name().toLowerCase(), index, warm[250], warm[475]));
    }
}

/// 20 words, few of them common.
String sentence(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 20; i++) text.append(i == 0 ? "" : " ").append("word").append((int) Math.pow(20_000,
            random.nextDouble()));
    return text.toString();
}
