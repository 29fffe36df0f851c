package fewsh.prompt;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import fewsh.UserError;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The rows of a data file, one after another: `.jsonl`, `.csv` or `.tsv`.
///
/// JSON Lines: an object a line, strict JSON, no key twice; integers are Long or BigInteger, other numbers Double; blank lines
/// are passed over. CSV and TSV: RFC 4180 with a header row; every value is a text. UTF-8, with or without a byte order mark.
///
/// `next` throws UserError with file and line for a row that cannot be read: not UTF-8, not JSON, too many or too few fields,
/// longer than [#LONGEST_ROW]. Whoever opens closes. Not thread-safe.
public final class Rows implements Iterator<Row>, AutoCloseable {
    /// Characters of a row.
    public static final int LONGEST_ROW = 8 << 20;
    private static final int MOST_FIELDS = 4096;
    private static final int LONGEST_INTEGER = 1000;
    private static final Pattern COLUMN = Pattern.compile(" column (\\d+)"); // in the messages of Gson
    private static final List<String> EXTENSIONS = List.of("jsonl", "csv", "tsv");

    private final String file;
    private final Reader reader;
    private final boolean json;
    private final Iterator<CsvRecord> records; // null for JSON Lines
    private List<String> header = List.of();
    private long line;
    private Row next;

    /// @throws UserError if it cannot be opened, has another extension, or a header that names a field twice
    public static Rows open(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        if (!EXTENSIONS.contains(extension))
            throw new UserError(file.toString(), "is none of the data files that can be read",
                    "they end in .jsonl, .csv or .tsv");
        try {
            if (Files.isDirectory(file)) throw new UserError(file.toString(), "is a folder", "name a file");
            return new Rows(file.toString(), Files.newBufferedReader(file, StandardCharsets.UTF_8), extension);
        } catch (NoSuchFileException e) {
            throw new UserError(file.toString(), "is not there", "", e);
        } catch (IOException e) {
            throw new UserError(file.toString(), "cannot be read: " + e.getMessage(), "", e);
        }
    }

    /// All rows of a file.
    public static List<Row> read(Path file) {
        try (Rows rows = open(file)) {
            List<Row> all = new ArrayList<>();
            rows.forEachRemaining(all::add);
            return all;
        }
    }

    private Rows(String file, BufferedReader opened, String extension) throws IOException {
        this.file = file;
        this.json = extension.equals("jsonl");
        try {
            reader = opened;
            skipByteOrderMark(opened);
            if (json) {
                records = null;
            } else {
                CsvRecordHandler handler = CsvRecordHandler.of(b -> b.maxFields(MOST_FIELDS).maxFieldSize(LONGEST_ROW)
                        .maxRecordSize(LONGEST_ROW));
                records = CsvReader.builder().fieldSeparator(extension.equals("tsv") ? '\t' : ',').skipEmptyLines(true)
                        .allowExtraFields(true).allowMissingFields(true).allowExtraCharsAfterClosingQuote(false)
                        .maxBufferSize(LONGEST_ROW).build(handler, opened).iterator();
                CsvRecord first = record();
                if (first == null) throw new UserError(file, "is empty", "its first row names the fields");
                header = first.getFields();
                checkHeader();
            }
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        } catch (CharacterCodingException e) {
            opened.close();
            throw notUtf8(e);
        }
    }

    private static void skipByteOrderMark(BufferedReader reader) throws IOException {
        reader.mark(1);
        if (reader.read() != '\ufeff') reader.reset();
    }

    private void checkHeader() {
        HashSet<String> names = new HashSet<>();
        for (String name : header) {
            if (name.isBlank()) throw new UserError(file + ":1", "a field of the header has no name", "name it");
            if (!names.add(name)) throw new UserError(file + ":1", "two fields are named \"" + name + "\"", "rename one");
        }
    }

    @Override
    public boolean hasNext() {
        if (next == null) next = json ? jsonRow() : csvRow();
        return next != null;
    }

    /// @throws UserError if the row cannot be read; the rows after it can, if it is JSON that is broken or fields that are
    ///                   missing
    @Override
    public Row next() {
        if (!hasNext()) throw new NoSuchElementException();
        Row row = next;
        next = null;
        return row;
    }

    @Override
    public void close() {
        try {
            reader.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private UserError notUtf8(IOException e) {
        return new UserError(file + ":" + (line + 1), "this line or one soon after is not UTF-8", "save the file as UTF-8", e);
    }

    // CSV

    private CsvRecord record() {
        try {
            CsvRecord record = records.hasNext() ? records.next() : null;
            if (record != null) line = record.getStartingLineNumber();
            return record;
        } catch (CsvParseException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new UserError(file + ":" + (line + 1), "cannot be read as CSV from here: " + cause.getMessage(),
                    "close every quote, and double those inside quotes", e);
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CharacterCodingException c) throw notUtf8(c);
            throw new UserError(file, "cannot be read: " + e.getCause().getMessage(), "", e);
        }
    }

    private Row csvRow() {
        CsvRecord record = record();
        if (record == null) return null;
        if (record.getFieldCount() != header.size())
            throw new UserError(file + ":" + line, "has " + record.getFieldCount() + " fields, the header " + header.size(),
                    record.getFieldCount() > header.size() ? "put values that hold the separator in quotes" : "");
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < header.size(); i++) fields.put(header.get(i), record.getField(i));
        return new Row(file + ":" + line, fields);
    }

    // JSON Lines

    private Row jsonRow() {
        try {
            for (String text = line(); text != null; text = line())
                if (!text.isBlank()) return jsonRow(text);
            return null;
        } catch (CharacterCodingException e) {
            throw notUtf8(e);
        } catch (IOException e) {
            throw new UserError(file, "cannot be read: " + e.getMessage(), "", e);
        }
    }

    /// The next line without its end; null after the last.
    private String line() throws IOException {
        StringBuilder text = new StringBuilder();
        int c = reader.read();
        if (c < 0) return null;
        for (; c >= 0 && c != '\n'; c = reader.read()) {
            text.append((char) c);
            if (text.length() > LONGEST_ROW)
                throw new UserError(file + ":" + (line + 1), "is longer than " + LONGEST_ROW + " characters", "split it");
        }
        line++;
        return text.toString();
    }

    private Row jsonRow(String text) {
        String where = file + ":" + line;
        try (JsonReader in = new JsonReader(new StringReader(text))) {
            in.setStrictness(Strictness.STRICT);
            if (in.peek() != JsonToken.BEGIN_OBJECT)
                throw new UserError(where, "is not a JSON object", "each line is one: {\"text\": \"…\"}");
            @SuppressWarnings("unchecked") // value of BEGIN_OBJECT is a map
            Map<String, Object> fields = (Map<String, Object>) value(where, in);
            if (in.peek() != JsonToken.END_DOCUMENT) throw new MalformedJsonException("more than one value");
            return new Row(where, fields);
        } catch (EOFException e) {
            throw new UserError(where, "is JSON that breaks off", "each line is one whole object", e);
        } catch (MalformedJsonException | IllegalStateException | NumberFormatException e) {
            Matcher column = COLUMN.matcher(String.valueOf(e.getMessage()));
            throw new UserError(where, "is not JSON" + (column.find() ? " at column " + column.group(1) : ""),
                    "each line is one object, with names and texts in double quotes", e);
        } catch (IOException e) {
            throw new UserError(where, "cannot be read: " + e.getMessage(), "", e);
        }
    }

    /// Null, Boolean, Long, BigInteger, Double, String, List or LinkedHashMap. The reader bounds how deep it nests.
    private static Object value(String where, JsonReader in) throws IOException {
        return switch (in.peek()) {
            case BEGIN_OBJECT -> {
                Map<String, Object> map = new LinkedHashMap<>();
                in.beginObject();
                while (in.hasNext()) {
                    String name = in.nextName();
                    if (map.containsKey(name)) throw new UserError(where, "has the key \"" + name + "\" twice", "drop one");
                    map.put(name, value(where, in));
                }
                in.endObject();
                yield map;
            }
            case BEGIN_ARRAY -> {
                List<Object> list = new ArrayList<>();
                in.beginArray();
                while (in.hasNext()) list.add(value(where, in));
                in.endArray();
                yield list;
            }
            case STRING -> in.nextString();
            case NUMBER -> number(where, in.nextString());
            case BOOLEAN -> in.nextBoolean();
            case NULL -> {
                in.nextNull();
                yield null;
            }
            case END_ARRAY, END_OBJECT, NAME, END_DOCUMENT ->
                throw new MalformedJsonException("a value is missing at " + in.getPath());
        };
    }

    private static Object number(String where, String text) {
        if (text.length() > LONGEST_INTEGER)
            throw new UserError(where, "has a number of " + text.length() + " digits", "at most " + LONGEST_INTEGER);
        if (!text.matches("-?\\d+")) return Double.parseDouble(text);
        BigInteger integer = new BigInteger(text);
        if (integer.bitLength() < Long.SIZE) return integer.longValueExact();
        return integer;
    }
}
