package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/// Python's integers without bound, its floats, their arithmetic, and both as text.
final class Numbers {
    /// Longer integers Python refuses to turn into text or back.
    static final int MOST_DIGITS = 4300;

    private Numbers() {}

    static BigInteger integer(Value value) {
        return switch (value) {
            case Value.Int i -> i.value();
            case Value.Bool b -> b.value() ? BigInteger.ONE : BigInteger.ZERO;
            default -> throw TemplateError.type("'" + Python.typeName(value) + "' object cannot be interpreted as an integer");
        };
    }

    /// A number as a float.
    static double real(Value value) {
        return switch (value) {
            case Value.Float f -> f.value();
            case Value.Int i -> {
                double d = i.value().doubleValue();
                if (Double.isInfinite(d)) throw new TemplateError(Kind.OVERFLOW, "int too large to convert to float");
                yield d;
            }
            case Value.Bool b -> b.value() ? 1 : 0;
            default -> throw TemplateError.type("must be real number, not " + Python.typeName(value));
        };
    }

    static boolean isNan(Value value) {
        return value instanceof Value.Float f && Double.isNaN(f.value());
    }

    /// Exact even between an integer and a float; a NaN is unequal to everything.
    static int compare(Value a, Value b) {
        if (isNan(a) || isNan(b)) return 2;
        if (a instanceof Value.Float x && b instanceof Value.Float y)
            return x.value() == y.value() ? 0 : Double.compare(x.value(), y.value());
        if (a instanceof Value.Float x) {
            if (Double.isInfinite(x.value())) return x.value() > 0 ? 1 : -1;
            return new BigDecimal(x.value()).compareTo(new BigDecimal(integer(b)));
        }
        if (b instanceof Value.Float) return -compare(b, a);
        return integer(a).compareTo(integer(b));
    }

    static Value arithmetic(Run run, String operator, Value a, Value b) {
        boolean real = a instanceof Value.Float || b instanceof Value.Float;
        return switch (operator) {
            case "+" -> real ? number(real(a) + real(b)) : number(run, integer(a).add(integer(b)));
            case "-" -> real ? number(real(a) - real(b)) : number(run, integer(a).subtract(integer(b)));
            case "*" -> {
                if (real) yield number(real(a) * real(b));
                limit(run, (long) integer(a).bitLength() + integer(b).bitLength());
                yield number(run, integer(a).multiply(integer(b)));
            }
            case "/" -> divide(a, b, real);
            case "//" -> real ? number(floorDivide(real(a), real(b))) : floorDivide(run, integer(a), integer(b));
            case "%" -> real ? number(modulo(real(a), real(b))) : modulo(run, integer(a), integer(b));
            case "**" -> power(run, a, b, real);
            default -> throw new IllegalArgumentException(operator);
        };
    }

    private static Value number(double value) {
        return new Value.Float(value);
    }

    private static Value number(Run run, BigInteger value) {
        limit(run, value.bitLength());
        return new Value.Int(value);
    }

    private static void limit(Run run, long bits) {
        run.work(bits >> 10);
        if (bits > run.environment.limits().bits())
            throw TemplateError.limit("integer of more than " + run.environment.limits().bits() + " bits");
    }

    private static Value divide(Value a, Value b, boolean real) {
        if (real) {
            if (real(b) == 0) throw zero("float division by zero");
            return number(real(a) / real(b));
        }
        BigInteger x = integer(a);
        BigInteger y = integer(b);
        if (y.signum() == 0) throw zero("division by zero");
        if (x.bitLength() <= 53 && y.bitLength() <= 53) return number(x.doubleValue() / y.doubleValue());
        double quotient = new BigDecimal(x).divide(new BigDecimal(y), new MathContext(60, RoundingMode.HALF_EVEN)).doubleValue();
        if (Double.isInfinite(quotient)) throw new TemplateError(Kind.OVERFLOW, "integer division result too large for a float");
        return number(quotient);
    }

    private static TemplateError zero(String message) {
        return new TemplateError(Kind.ZERO_DIVISION, message);
    }

    private static Value floorDivide(Run run, BigInteger a, BigInteger b) {
        if (b.signum() == 0) throw zero("integer division or modulo by zero");
        BigInteger[] parts = a.divideAndRemainder(b);
        boolean down = parts[1].signum() != 0 && parts[1].signum() != b.signum();
        return number(run, down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
    }

    private static Value modulo(Run run, BigInteger a, BigInteger b) {
        if (b.signum() == 0) throw zero("integer modulo by zero");
        BigInteger rest = a.remainder(b);
        return number(run, rest.signum() != 0 && rest.signum() != b.signum() ? rest.add(b) : rest);
    }

    private static double modulo(double a, double b) {
        if (b == 0) throw zero("float modulo");
        double rest = a % b;
        if (rest == 0) return Math.copySign(0, b);
        return rest < 0 != b < 0 ? rest + b : rest;
    }

    private static double floorDivide(double a, double b) {
        if (b == 0) throw zero("float floor division by zero");
        double rest = a % b;
        double quotient = (a - rest) / b;
        if (rest != 0 && rest < 0 != b < 0) quotient -= 1;
        if (quotient == 0) return Math.copySign(0, a / b);
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static Value power(Run run, Value a, Value b, boolean real) {
        if (!real && integer(b).signum() >= 0) {
            BigInteger base = integer(a);
            if (base.bitLength() <= 1 && base.abs().compareTo(BigInteger.ONE) <= 0) {
                if (base.signum() == 0) return number(run, integer(b).signum() == 0 ? BigInteger.ONE : BigInteger.ZERO);
                return number(run, base.signum() < 0 && integer(b).testBit(0) ? base : BigInteger.ONE);
            }
            if (integer(b).bitLength() > 31) limit(run, Long.MAX_VALUE);
            limit(run, base.bitLength() * integer(b).longValue());
            return number(run, base.pow(integer(b).intValue()));
        }
        double x = real(a);
        double y = real(b);
        if (x == 0 && y < 0) throw zero("0.0 cannot be raised to a negative power");
        if (x < 0 && !Double.isInfinite(x) && !Double.isInfinite(y) && y != Math.rint(y))
            throw TemplateError.value("complex numbers are not supported");
        if (x == 1) return number(1);
        double result = Math.pow(x, y);
        if (Double.isInfinite(result) && !Double.isInfinite(x) && !Double.isInfinite(y))
            throw new TemplateError(Kind.OVERFLOW, "(34, 'Numerical result out of range')");
        return number(result);
    }

    static Value negate(Value value) {
        return value instanceof Value.Float f ? number(-f.value()) : new Value.Int(integer(value).negate());
    }

    static Value absolute(Value value) {
        return value instanceof Value.Float f ? number(Math.abs(f.value())) : new Value.Int(integer(value).abs());
    }

    /// `int(float)`.
    static BigInteger truncate(double value) {
        if (Double.isNaN(value)) throw TemplateError.value("cannot convert float NaN to integer");
        if (Double.isInfinite(value)) throw new TemplateError(Kind.OVERFLOW, "cannot convert float infinity to integer");
        return new BigDecimal(value).toBigInteger();
    }

    /// `round(value, digits)`: half to even, and exact, so that 2.675 gives 2.67.
    static Value round(Run run, Value value, long digits) {
        if (value instanceof Value.Float f) {
            double d = f.value();
            if (Double.isNaN(d) || Double.isInfinite(d) || digits > 340) return value;
            if (digits < -310) return number(Math.copySign(0, d));
            double rounded = new BigDecimal(d).setScale((int) digits, RoundingMode.HALF_EVEN).doubleValue();
            return number(rounded == 0 ? Math.copySign(0, d) : rounded);
        }
        if (digits >= 0) return new Value.Int(integer(value));
        if (digits < -MOST_DIGITS) return Value.of(0);
        BigDecimal rounded = new BigDecimal(integer(value)).setScale((int) digits, RoundingMode.HALF_EVEN);
        return number(run, rounded.toBigInteger());
    }

    private static TemplateError tooLong() {
        return TemplateError.value("Exceeds the limit (" + MOST_DIGITS + " digits) for integer string conversion");
    }

    static String str(BigInteger value) {
        String digits = value.bitLength() > MOST_DIGITS * 10 / 3 ? "" : value.toString();
        if (digits.isEmpty() || digits.length() > MOST_DIGITS + 1 || digits.length() > MOST_DIGITS && value.signum() > 0)
            throw tooLong();
        return digits;
    }

    /// A float as `repr` prints it: the shortest digits that read back, an exponent below 1e-4 and from 1e16.
    static String str(double value) {
        if (Double.isNaN(value)) return "nan";
        if (Double.isInfinite(value)) return value > 0 ? "inf" : "-inf";
        if (value == 0) return 1 / value < 0 ? "-0.0" : "0.0";
        BigDecimal digits = shortest(value);
        String unscaled = digits.unscaledValue().abs().toString();
        int point = unscaled.length() - digits.scale();
        String sign = value < 0 ? "-" : "";
        if (point > -4 && point <= 16) return sign + fixed(unscaled, point);
        return sign + exponent(unscaled, point - 1);
    }

    /// The shortest decimal that reads back as `value`, without zeros at its end.
    static BigDecimal shortest(double value) {
        BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        if (digits.precision() == 2) { // Java always prints two digits, 4.9E-324 where 5e-324 reads back as well
            BigDecimal one = digits.round(new MathContext(1, RoundingMode.HALF_EVEN));
            if (one.doubleValue() == value) return one.stripTrailingZeros();
        }
        return digits;
    }

    private static String fixed(String digits, int point) {
        if (point <= 0) return "0." + "0".repeat(-point) + digits;
        if (point >= digits.length()) return digits + "0".repeat(point - digits.length()) + ".0";
        return digits.substring(0, point) + "." + digits.substring(point);
    }

    private static String exponent(String digits, int exponent) {
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return mantissa + "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }

    /// `int(text, base)`.
    ///
    /// @throws TemplateError ValueError if it is not one
    static BigInteger parse(String text, int base) {
        TemplateError wrong = TemplateError.value("invalid literal for int() with base " + base + ": " + Python.quote(text));
        if (base != 0 && (base < 2 || base > 36)) throw TemplateError.value("int() base must be >= 2 and <= 36, or 0");
        String digits = ascii(text);
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) digits = digits.substring(1);
        int radix = base;
        String prefix = digits.length() > 1 ? digits.substring(0, 2).toLowerCase(java.util.Locale.ROOT) : "";
        int prefixed = switch (prefix) {
            case "0x" -> 16;
            case "0o" -> 8;
            case "0b" -> 2;
            default -> 0;
        };
        if (prefixed != 0 && (base == 0 || base == prefixed)) {
            radix = prefixed;
            digits = digits.substring(2);
            if (digits.startsWith("_")) digits = digits.substring(1);
        } else if (base == 0) {
            radix = 10;
            if (digits.length() > 1 && digits.startsWith("0") && !digits.matches("[0_]+")) throw wrong;
        }
        if (digits.isEmpty() || digits.startsWith("_") || digits.endsWith("_") || digits.contains("__")) throw wrong;
        digits = digits.replace("_", "");
        for (char c : digits.toCharArray()) if (c > 127 || Character.digit(c, radix) < 0) throw wrong;
        if (digits.length() > MOST_DIGITS) throw tooLong();
        BigInteger value = new BigInteger(digits, radix);
        return negative ? value.negate() : value;
    }

    /// `float(text)`.
    ///
    /// @throws TemplateError ValueError if it is not one
    static double parseFloat(String text) {
        TemplateError wrong = TemplateError.value("could not convert string to float: " + Python.quote(text));
        String number = ascii(text);
        String bare = number.replaceFirst("^[+-]", "").toLowerCase(java.util.Locale.ROOT);
        double sign = number.startsWith("-") ? -1 : 1;
        if (bare.equals("inf") || bare.equals("infinity")) return sign * Double.POSITIVE_INFINITY;
        if (bare.equals("nan")) return Double.NaN;
        if (number.length() > 10_000) throw wrong;
        boolean wellFormed = bare.matches("(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)(e[+-]?\\d+(_\\d+)*)?");
        if (!wellFormed) throw wrong;
        return sign * Double.parseDouble(bare.replace("_", ""));
    }

    /// Without white space around, any script's digits as ASCII ones.
    private static String ascii(String text) {
        String bare = Strings.strip(text, null, true, true);
        StringBuilder out = new StringBuilder();
        bare.codePoints().forEach(c -> {
            if (CodePoints.isDecimal(c)) out.append((char) ('0' + Character.digit(c, 10)));
            else out.appendCodePoint(c);
        });
        return out.toString();
    }
}
