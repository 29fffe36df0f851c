import fewsh.generate.Answers;
import fewsh.generate.GenerationConfig;
import fewsh.generate.Seq2Seq;
import fewsh.load.LoadOptions;
import fewsh.models.Precision;

/// fewsh's half of `translate.py`: answers to sources given as ids, one line of JSON a round.
///
/// arguments: MODEL HOME SOURCES(one line of ids each) BEAMS TOKENS ROUNDS THREADS PRECISION
void main(String[] args) throws IOException {
    List<int[]> sources = Files.readAllLines(Path.of(args[2])).stream()
            .map(line -> Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray()).toList();
    LoadOptions options = LoadOptions.in(Path.of(args[1])).withPrecision(Precision.parse(args[7]))
            .withThreads(Integer.parseInt(args[6]));
    try (Seq2Seq model = Seq2Seq.open(Path.of(args[0]), options)) {
        GenerationConfig config = model.defaults().withNumBeams(Integer.parseInt(args[3]))
                .withMaxNewTokens(Integer.parseInt(args[4]));
        for (int round = 0; round <= Integer.parseInt(args[5]); round++) {
            long begin = System.nanoTime();
            int tokens = 0;
            try (Answers answers = model.decode(sources, config)) {
                while (answers.hasNext()) if (answers.next() instanceof fewsh.generate.Step.Token) tokens++;
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            if (round > 0) IO.println("{\"seconds\":" + seconds + ",\"tokens\":" + tokens + "}");  // the first one warms up
        }
    }
}
