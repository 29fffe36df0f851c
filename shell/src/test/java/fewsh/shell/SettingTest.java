package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import fewsh.generate.SamplingConfig;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingTest {
    private static SamplingConfig set(String key, String... values) {
        return Setting.apply(SamplingConfig.GREEDY, Map.of(Setting.of(key), List.of(values)));
    }

    @ParameterizedTest
    @CsvSource({"temperature, 0.7", "top_k, 40", "top_p, 0.9", "min_p, 0.05", "repetition_penalty, 1.1", "presence_penalty, 0.5",
        "frequency_penalty, -0.5", "max_tokens, 7", "seed, -3"})
    void eachSettingChangesItselfAlone(String key, String value) {
        Map<Setting, String> before = Setting.shown(SamplingConfig.GREEDY);
        Map<Setting, String> after = Setting.shown(set(key, value));
        after.forEach((setting, shown) -> assertEquals(setting.key().equals(key) ? value : before.get(setting), shown,
                setting.key()));
    }

    @Test
    void everySettingChangesSomething() {
        Map<Setting, String> before = Setting.shown(SamplingConfig.GREEDY);
        for (Setting setting : Setting.values())
            assertNotEquals(before, Setting.shown(set(setting.key(), setting == Setting.MIN_P || setting == Setting.TOP_P ? "0.5" : "3")),
                    setting.key());
    }

    @Test
    void stopTakesSeveralTexts() {
        assertEquals(List.of("\n", "User:"), set("stop", "\n", "User:").stop());
    }

    @Test
    void everySettingIsAnOptionOfAsk() {
        List<String> keys = Commands.program("ask").orElseThrow().options().stream().map(Option::key).toList();
        assertTrue(keys.containsAll(Setting.keys()));
    }

    @ParameterizedTest
    @CsvSource({"temperature, hot", "temperature, NaN", "temperature, -1", "temperature, 1f", "top_p, 0", "top_p, 1.5",
            "top_k, -1",
        "min_p, 1", "max_tokens, 1.5", "seed, x"})
    void aValueOutOfRangeIsNamed(String key, String value) {
        UserError e = assertThrows(UserError.class, () -> set(key, value));
        assertTrue(e.what().startsWith(key + " must be "), e.what());
        assertTrue(e.what().contains(value.equals("-1") && key.equals("temperature") ? "-1" : value), e.what());
    }

    @Test
    void anUnknownSettingHasANearMissAndHyphensCount() {
        assertEquals(Setting.TOP_P, Setting.of("top-p"));
        assertEquals("did you mean \"temperature\"?", assertThrows(UserError.class, () -> Setting.of("temprature")).fix());
    }
}
