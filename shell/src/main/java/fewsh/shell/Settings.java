package fewsh.shell;

import fewsh.UserError;
import fewsh.generate.SamplingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// `/set` and `/time`.
final class Settings {
    private Settings() {}

    static int set(Workspace workspace, Options options) {
        List<String> words = options.words();
        if (words.isEmpty()) {
            show(workspace);
            return 0;
        }
        Setting setting = Setting.of(words.getFirst());
        if (words.size() == 1) {
            workspace.render().line(setting.key() + " " + Setting.shown(inForce(workspace)).get(setting));
            return 0;
        }
        List<String> values = words.subList(1, words.size()).stream().map(v -> setting == Setting.STOP ? unescaped(v) : v)
                .toList();
        if (values.size() > 1 && setting != Setting.STOP)
            throw new UserError("/set " + setting.key(), "takes one value, got " + values.size(), "");
        if (values.equals(List.of("default"))) workspace.settings().remove(setting);
        else {
            Setting.apply(SamplingConfig.GREEDY, Map.of(setting, values));
            workspace.settings().put(setting, List.copyOf(values));
        }
        return 0;
    }

    /// `\n` and `\t` as the characters they stand for, which cannot be typed here.
    private static String unescaped(String value) {
        return value.replace("\\n", "\n").replace("\\t", "\t");
    }

    private static void show(Workspace workspace) {
        List<List<String>> rows = new ArrayList<>();
        Setting.shown(inForce(workspace)).forEach((setting, value) -> rows.add(List.of(setting.key(),
                setting == Setting.SEED && !workspace.settings().containsKey(setting) ? "" : value,
                workspace.settings().containsKey(setting) ? "set" : setting == Setting.SEED ? "drawn anew" : "default",
                setting.help())));
        workspace.render().table(List.of("setting", "value", "", ""), rows);
    }

    private static SamplingConfig inForce(Workspace workspace) {
        SamplingConfig defaults = workspace.loaded().isPresent() ? workspace.model().defaults() : SamplingConfig.GREEDY;
        return Setting.apply(defaults, workspace.settings());
    }

    /// `/time on|off`.
    static int time(Workspace workspace, Options options) {
        String word = options.expect("/time", "on|off", 0, 1).text();
        switch (word) {
            case "on" -> workspace.showTime(true);
            case "off" -> workspace.showTime(false);
            case "" -> workspace.render().line(workspace.showTime() ? "on" : "off");
            default -> throw new UserError("/time", "must be on or off, was \"" + word + "\"", "");
        }
        return 0;
    }
}
