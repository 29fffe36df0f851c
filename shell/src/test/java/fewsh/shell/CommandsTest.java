package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandsTest {
    @Test
    void docsCommandsIsMadeFromTheTable() throws IOException {
        Golden.check("docs/commands.md", Commands.markdown());
    }

    @Test
    void namesAreUniqueAndSnakeCase() {
        for (List<String> names : List.of(Commands.programs().stream().map(Command::name).toList(),
                Commands.slashes().stream().map(Command::slash).toList())) {
            assertEquals(names.size(), new HashSet<>(names).size());
            names.forEach(name -> assertTrue(name.matches("[a-z][a-z_]*"), name));
        }
    }

    @Test
    void noCommandHasAnOptionTwice() {
        for (Command command : Commands.programs()) {
            Set<String> seen = new HashSet<>();
            for (Option option : Commands.options(command))
                option.names().forEach(name -> assertTrue(seen.add(name), command.name() + " has " + name + " twice"));
        }
    }

    @Test
    void helpIsOneLineThatEndsWithAFullStop() {
        for (Command command : Commands.programs()) assertTrue(command.help().matches("[A-Z].*\\."), command.help());
        for (Command command : Commands.slashes()) assertTrue(command.help().matches("[A-Z].*\\."), command.help());
    }

    @Test
    void everySubcommandKnowsJson() {
        for (Command command : Commands.programs())
            assertTrue(command.options().stream().anyMatch(o -> o.key().equals("json")), command.name());
    }
}
