package fewsh.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

class StopTextTest {
    @Property
    void piecesGiveWhatTheWholeTextUpToTheFirstStopGives(
            @ForAll @Size(max = 20) List<@CharRange(from = 'a', to = 'b') @StringLength(max = 3) String> pieces,
            @ForAll @Size(max = 3) List<@CharRange(from = 'a', to = 'b') @StringLength(min = 1, max = 4) String> stops) {
        String whole = String.join("", pieces);
        // a stop is found as soon as its last character is there
        int end = whole.length();
        for (int n = 1; n <= whole.length() && end == whole.length(); n++)
            for (String stop : stops) if (whole.substring(0, n).endsWith(stop)) end = Math.min(end, n - stop.length());
        StopText text = new StopText(stops);
        StringBuilder shown = new StringBuilder();
        for (String piece : pieces) {
            for (int i = 0; i < piece.length() && !text.stopped(); i++) shown.append(text.add(piece.substring(i, i + 1)));
        }
        shown.append(text.finish());
        assertEquals(whole.substring(0, end), shown.toString());
    }
}
