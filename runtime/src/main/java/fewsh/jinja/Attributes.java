package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.util.List;
import java.util.Set;

/// `a.b` and `a[b]`: attributes and methods first or items first, and what the sandbox hides.
final class Attributes {
    // What every Python object has; the sandbox hides them, and outside it only the harmless ones work.
    private static final Set<String> OBJECT = Set.of("__class__", "__doc__", "__dir__", "__eq__", "__format__", "__ge__",
            "__getattribute__", "__gt__", "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__",
            "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__", "__subclasshook__", "__delattr__");
    private static final Set<String> SEQUENCE = Set.of("__len__", "__getitem__", "__contains__", "__iter__");
    private static final Set<String> CHANGE_LIST =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
    private static final Set<String> CHANGE_DICT = Set.of("clear", "pop", "popitem", "setdefault", "update");

    private Attributes() {}

    /// `of.name`.
    static Value attribute(Run run, Value of, String name) {
        Value value = find(run, of, name);
        if (value != null) return isSafe(run, of, name) ? value : run.unsafe(of, name);
        value = subscript(run, of, Value.of(name));
        return value != null ? value : run.undefined("", of, Value.of(name));
    }

    /// `of[key]`.
    static Value item(Run run, Value of, Value key) {
        Value value = subscript(run, of, key);
        if (value != null) return value;
        if (key instanceof Value.Str name) {
            value = find(run, of, name.text());
            if (value != null) return isSafe(run, of, name.text()) ? value : run.unsafe(of, name.text());
        }
        return run.undefined("", of, key);
    }

    /// The filter `attr`: attributes only.
    static Value attributeOnly(Run run, Value of, String name) {
        if (of instanceof Value.Undefined u) throw u.failure();
        if (find(run, of, name) == null) return run.undefined("", of, Value.of(name));
        return attribute(run, of, name);
    }

    private static boolean isSafe(Run run, Value of, String name) {
        if (!run.environment.sandboxed()) return true;
        if (name.startsWith("_")) return false;
        return switch (of) {
            case Value.Array _ -> !CHANGE_LIST.contains(name);
            case Value.Dict _ -> !CHANGE_DICT.contains(name);
            default -> true;
        };
    }

    /// `of[key]`, null where Python raises TypeError or LookupError.
    private static Value subscript(Run run, Value of, Value key) {
        if (key instanceof Value.Slice slice) {
            try {
                return Operators.slice(run, of, slice);
            } catch (TemplateError e) {
                if (e.kind() == Kind.TYPE) return null;
                throw e;
            }
        }
        return switch (of) {
            case Value.Dict dict -> {
                try {
                    yield dict.get(key);
                } catch (TemplateError e) {
                    if (e.kind() == Kind.TYPE) yield null;
                    throw e;
                }
            }
            case Value.Undefined u -> throw u.failure();
            case Value.Self self -> key instanceof Value.Str name ? self.blocks().get(name.text()) : null;
            case Value.Str s when isInteger(key) -> {
                run.text(s.text().length());
                long at = position(key, CodePoints.length(s.text()));
                yield at < 0 ? null : new Value.Str(CodePoints.sub(s.text(), (int) at, (int) at + 1), s.safe());
            }
            case Value.Array a when isInteger(key) -> element(a.items, key);
            case Value.Tuple t when isInteger(key) -> element(t.items(), key);
            case Value.Range r when isInteger(key) -> {
                long at = position(key, r.length());
                yield at < 0 ? null : Value.of(r.start() + at * r.step());
            }
            case Value.Bytes b when isInteger(key) -> {
                long at = position(key, b.latin1().length());
                yield at < 0 ? null : Value.of(b.latin1().charAt((int) at));
            }
            case Value.None _, Value.Bool _, Value.Int _, Value.Float _, Value.Str _, Value.Bytes _, Value.Array _, Value.Tuple _,
                 Value.Range _, Value.View _, Value.Stream _, Value.Function _, Value.Macro _, Value.Namespace _, Value.Cycler _,
                 Value.Joiner _, Value.Loop _, Value.Type _, Value.Slice _ -> null;
        };
    }

    private static boolean isInteger(Value key) {
        return key instanceof Value.Int || key instanceof Value.Bool;
    }

    /// A possibly negative index as an offset, -1 if it is outside.
    private static long position(Value key, long length) {
        long at = Python.index(key);
        if (at < 0) at += length;
        return at < length ? Math.max(at, -1) : -1;
    }

    private static Value element(List<Value> items, Value key) {
        long at = position(key, items.size());
        return at < 0 ? null : items.get((int) at);
    }

    /// Python's `getattr`, null where it raises AttributeError.
    private static Value find(Run run, Value of, String name) {
        if (name.startsWith("__") && name.endsWith("__") && name.length() > 4) return special(run, of, name);
        return switch (of) {
            case Value.Str s -> Strings.METHODS.contains(name) || s.safe() && Strings.MARKUP_METHODS.contains(name)
                    ? method(of, name, (r, args) -> Strings.call(r, s, name, args)) : null;
            case Value.Array a -> Methods.LIST.contains(name)
                    ? method(of, name, (r, args) -> Methods.list(r, a, name, args)) : null;
            case Value.Dict d -> Methods.DICT.contains(name)
                    ? method(of, name, (r, args) -> Methods.dict(r, d, name, args)) : null;
            case Value.Tuple t -> {
                int field = t.names().indexOf(name);
                if (field >= 0) yield t.items().get(field);
                yield Methods.TUPLE.contains(name)
                        ? method(of, name, (r, args) -> Methods.tuple(r, t.items(), name, args)) : null;
            }
            case Value.Range range -> Methods.rangeAttribute(range, name);
            case Value.Int _, Value.Bool _, Value.Float _ -> Methods.numberAttribute(of, name);
            case Value.Bytes b -> Methods.BYTES.contains(name)
                    ? method(of, name, (r, args) -> Methods.bytes(r, b, name, args)) : null;
            case Value.Undefined u -> throw u.failure();
            case Value.Macro m -> switch (name) {
                case "name" -> m.name == null ? Value.NONE : Value.of(m.name);
                case "arguments" -> m.arguments;
                case "catch_kwargs" -> Value.of(m.catchKwargs);
                case "catch_varargs" -> Value.of(m.catchVarargs);
                case "caller" -> Value.of(m.caller);
                case "explicit_caller" -> Value.of(m.arguments.items().stream().anyMatch(a -> Python.str(a).equals("caller")));
                default -> null;
            };
            case Value.Namespace n -> n.attributes.get(Value.of(name));
            case Value.Cycler c -> switch (name) {
                case "current" -> c.items.get(c.position);
                case "items" -> new Value.Tuple(c.items);
                case "pos" -> Value.of(c.position);
                case "next" -> method(of, name, (_, args) -> {
                    args.only(name, 0, 0);
                    Value item = c.items.get(c.position);
                    c.position = (c.position + 1) % c.items.size();
                    return item;
                });
                case "reset" -> method(of, name, (_, args) -> {
                    args.only(name, 0, 0);
                    c.position = 0;
                    return Value.NONE;
                });
                default -> null;
            };
            case Value.Joiner j -> switch (name) {
                case "sep" -> Value.of(j.separator);
                case "used" -> Value.of(j.used);
                default -> null;
            };
            case Value.Loop l -> loop(run, l, name);
            case Value.Slice s -> switch (name) {
                case "start" -> s.start();
                case "stop" -> s.stop();
                case "step" -> s.step();
                default -> null;
            };
            case Value.View v -> name.equals("isdisjoint") && v.part() != Value.Part.VALUES ? method(of, name, (r, args) -> {
                for (Value item : Python.list(r, args.only(name, 1, 1).at(0)))
                    if (Python.contains(r, v, item)) return Value.FALSE;
                return Value.TRUE;
            }) : null;
            case Value.Function f -> f == Globals.DICT && name.equals("fromkeys")
                    ? method(of, name, (r, args) -> Methods.dict(r, new Value.Dict(), name, args)) : null;
            case Value.None _, Value.Stream _, Value.Type _, Value.Self _ -> null;
        };
    }

    private static Value special(Run run, Value of, String name) {
        if (of instanceof Value.Undefined || of instanceof Value.Namespace) return null;
        if (run.environment.sandboxed())
            return OBJECT.contains(name) || SEQUENCE.contains(name) && Python.sizeOrMinus(of) >= 0 ? Value.NONE : null;
        return switch (name) {
            case "__name__" -> of instanceof Value.Type t ? Value.of(t.name()) : null;
            case "__class__" -> new Value.Type(Python.typeName(of));
            case "__len__" -> Python.sizeOrMinus(of) < 0 ? null : method(of, name, (_, _) -> Value.of(Python.length(of)));
            case "__str__" -> method(of, name, (r, _) -> r.str(Python.str(of)));
            case "__repr__" -> method(of, name, (r, _) -> r.str(Python.repr(of)));
            case "__contains__" -> Python.isIterable(of)
                    ? method(of, name, (r, args) -> Value.of(Python.contains(r, of, args.only(name, 1, 1).at(0)))) : null;
            default -> null;
        };
    }

    private static Value loop(Run run, Value.Loop loop, String name) {
        return switch (name) {
            case "index" -> Value.of(loop.index0 + 1);
            case "index0" -> Value.of(loop.index0);
            case "first" -> Value.of(loop.index0 == 0);
            case "last" -> Value.of(loop.peek() == null);
            case "length" -> Value.of(loop.length());
            case "revindex" -> Value.of(loop.length() - loop.index0);
            case "revindex0" -> Value.of(loop.length() - loop.index0 - 1);
            case "depth" -> Value.of(loop.depth0 + 1L);
            case "depth0" -> Value.of(loop.depth0);
            case "previtem" -> loop.previous() != null ? loop.previous()
                    : run.undefined("there is no previous item", null, Value.NONE);
            case "nextitem" -> loop.peek() != null ? loop.peek() : run.undefined("there is no next item", null, Value.NONE);
            case "cycle" -> method(loop, name, (_, args) -> {
                args.only(name, 0, Integer.MAX_VALUE);
                if (args.count() == 0) throw TemplateError.type("no items for cycling given");
                return args.at((int) (loop.index0 % args.count()));
            });
            case "changed" -> method(loop, name, (r, args) ->
                    Value.of(loop.changed(r, new Value.Tuple(args.only(name, 0, Integer.MAX_VALUE).positional()))));
            default -> null;
        };
    }

    static Value.Function method(Value of, String name, Value.Function.Body body) {
        return switch (of) {
            case Value.Cycler _, Value.Loop _ -> new Value.Function("method", "<bound method " + name + ">", body);
            default -> new Value.Function("builtin_function_or_method",
                    "<built-in method " + name + " of " + Python.typeName(of) + " object>", body);
        };
    }
}
