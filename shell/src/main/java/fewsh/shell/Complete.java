package fewsh.shell;

/// What the Tab key offers at a place of a command line.
enum Complete { NOTHING, COMMANDS, MODELS, STORED, CATALOGUE, FILES, INPUTS, SETTINGS, SWITCH, BRANCHES, PRECISIONS, DEVICES,
        ENVIRONMENTS, OUTPUTS }
