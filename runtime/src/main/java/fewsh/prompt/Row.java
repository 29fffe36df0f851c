package fewsh.prompt;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// A row of a data file: its fields in the file's order, and where it stands. Equal to any map with the same fields.
public final class Row extends AbstractMap<String, Object> {
    private final String where;
    private final Map<String, Object> fields;

    /// @param where file and line, for messages
    public Row(String where, Map<String, ?> fields) {
        this.where = where;
        this.fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    public String where() {
        return where;
    }

    @Override
    public Set<Entry<String, Object>> entrySet() {
        return fields.entrySet();
    }

    @Override
    public boolean containsKey(Object name) {
        return fields.containsKey(name);
    }

    @Override
    public Object get(Object name) {
        return fields.get(name);
    }
}
