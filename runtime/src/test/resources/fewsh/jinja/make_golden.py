"""Writes golden.json: templates of our own, rendered by Python's jinja2 3.1.6.  usage: python make_golden.py

pip install jinja2==3.1.6; Python 3.11. One case a line: [environment, options, template, expected text or {class, message, line}].
Every case sees the same variables, CONTEXT. Written templates first, then random ones from a seeded grammar.
"""
import copy, datetime, json, pathlib, random, re, signal, warnings
import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2025, 3, 2, 17, 4, 9)
CONTEXT = {
    "x": 3, "y": -2.5, "z": 0, "s": "Hello wörld, it's 👍 <b>", "e": "", "n": None, "t": True, "big": 12345678901234567890, "f": 0.1,
    "l": [3, 1, 2], "ls": ["b", "A", "c", "a"], "d": {"b": 1, "a": [1, "x"], "c": None, "items": "shadow"},
    "people": [{"name": "bo", "age": 20, "home": {"city": "Rome"}}, {"name": "Al", "age": 9}, {"name": "cy", "age": None}],
    "tree": [{"v": 1, "c": [{"v": 2, "c": [{"v": 3}]}, {"v": 4}]}, {"v": 5}],
    "messages": [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "Hi"},
                 {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHo", "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.0, None]}}}]}],
    "text": "one two  three-four\n  five,\tsix\n\nseven", "loop": "outer", "caller": "mine",
}


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment(name, options):
    if name == "plain":
        return jinja2.Environment(**options)
    if name == "lm_eval":
        env = jinja2.Environment(**{"undefined": jinja2.StrictUndefined, "keep_trailing_newline": True, **options})
        env.filters["regex_replace"] = lambda string, pattern, repl, count=0: re.sub(pattern, repl, string, count=count)
        return env
    env = ImmutableSandboxedEnvironment(**{"trim_blocks": True, "lstrip_blocks": True,
                                           "extensions": [Generation, "jinja2.ext.loopcontrols"], **options})

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def line_of(error):
    if getattr(error, "lineno", None) is not None and isinstance(error, jinja2.TemplateError):
        return error.lineno
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def render(name, options, template):
    try:
        return environment(name, options).from_string(template).render(**copy.deepcopy(CONTEXT))
    except Exception as error:
        return {"class": type(error).__name__, "message": str(error), "line": line_of(error)}


# One template a line: [plain], or [chat], or [lm_eval], or [plain trim lstrip keep], then the template; \n, \t and \\ are escapes.
WRITTEN = r"""
[plain] a\n{% if x %}\nb\n{% endif %}\nc\n
[plain trim] a\n{% if x %}\nb\n{% endif %}\nc\n
[plain lstrip] a\n  {% if x %}\n\tb\n\t{% endif %}\nc {# c #}\n  {# d #}\n
[plain trim lstrip keep] a\n  {% if x %}\n  b\n  {% endif %}\n  {{ x }}\n  {# c #}\nc\n
[chat]   {%- if x -%}  b  {%- endif +%}\n c {{- x -}} d\n
[chat] {%+ if x %}\n  {%+ set q = 1 %}q{% endif %}
[plain] a {#- b -#} c {# {{ x }} {% if %} #} d
[plain] {% raw %}{{ x }}{% if %}{# c #}{% endraw %}|{%- raw -%}  {{ y }}  {%- endraw -%} |
[chat]   {% raw %}\n  {{ x }}\n  {% endraw %}\nz
[plain] {{ '{{' }}{{ "}}" }}{{ '%}' }}{{ '{#' }}
[plain] {{-x}}{{- x }}{{+x }}{{ -x }}
[plain] a\r\nb\rc
[plain] {{ "a\\tb\\x41\\u00e9\\U0001F44D\\101\\q\\N{BULLET}" }}
[plain] {{ 'it\\'s' }}{{ "a\\\nb" }}
[plain] {{ 1_000 }} {{ 0x_ff }} {{ 0b1_0 }} {{ 0o17 }} {{ 1_0.5e1_0 }} {{ 1e-3 }} {{ 0_0 }}
[plain] {{ d.a.0 }}{{ d.a[1] }}{{ people.0.home.city }}{{ people[0]['home']['city'] }}
[plain] {{ 'a' 'b' "c" }}{{ ('d') }}{{ ('e',) }}{{ () }}{{ 1, 2 }}
[plain] {{ [1, 2.0, none, true, 'q', "it's", (1,), {'k': [nope]}] }}
[plain] {{ {'a': 1, 1: 2, 1.0: 3, true: 4, none: 5, (1, 2): 6} }}
[plain] {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 7 / 2 }} {{ 1e308 * 10 }}
[plain] {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 1 + 2 * 3 - 4 / 2 }} {{ 'a' ~ 1 + 1 if false else 'ok' }} {{ not 1 == 2 }}
[plain] {{ 10 ** 30 + 1 }} {{ big * big }} {{ 10 ** 30 // 7 }} {{ (10 ** 30) % 97 }} {{ 10 ** 18 * 1.0 }} {{ -(2 ** 63) }}
[plain] {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e15 + 0.5 }} {{ 123456789012345680.0 }} {{ 1e-4 }} {{ 1e-5 }} {{ 5e-324 }} {{ 2.0 ** 70 }} {{ 1 / 3 }}
[plain] {{ true + 1 }} {{ true == 1 }} {{ 1 == 1.0 }} {{ 'a' == 1 }} {{ [1] == [1.0] }} {{ (1,) == [1] }} {{ none == false }} {{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }}
[plain] {{ 'ab' * 3 }} {{ 2 * [1] }} {{ 'ab' * -1 }}| {{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'a' + 'b' }}
[plain] {{ 'a' < 'B' }} {{ [1, 2] < [1, 3] }} {{ (1, 'a') <= (1, 'a') }} {{ 'b' in 'abc' }} {{ 1 in [1.0] }} {{ 'a' in d }} {{ 'z' not in d }} {{ '' in '' }}
[plain] {{ x and e or 'z' }} {{ 0 or n }} {{ e and 1 }} {{ not n }} {{ n is none and 'yes' }}
[plain] {{ 'a' if x > 5 else 'b' if x > 2 else 'c' }}[{{ 'a' if z }}]{{ (1 if z else 2) + 1 }}
[plain] {{ s[0] }}{{ s[-3] }}{{ s[6:11] }}{{ s[::-1] }}{{ s[:3] ~ s[-3:] }}{{ s[1:9:3] }}{{ s[100:] }}|{{ s[18] }}
[plain] {{ l[1:] }}{{ l[::-1] }}{{ l[-1] }}{{ l[5] }}|{{ l[0:3:2] }}{{ range(10)[2:8:3]|list }}{{ (1, 2, 3)[1:] }}{{ l[none:none:none] }}
[plain] {{ nope }}|{{ d.nope }}|{{ d['nope'] }}|{{ l[9] }}|{{ nope|default('q') }}|{{ nope is defined }}|{{ nope ~ 'x' }}|{{ nope|length }}|{{ [nope]|list }}
[plain] {{ d.items is callable }}{{ d['items'] }}{{ d.items() is iterable }}{{ d.keys() }}{{ d.values()|list }}{{ d.get('b') }}{{ d.get('q', 7) }}
[plain] {% set a = 1 %}{% set a, b = 2, a %}{{ a }}{{ b }}{% set (p, (q, r)) = (1, (2, 3)) %}{{ p }}{{ q }}{{ r }}{% set t = 1, %}{{ t }}
[plain] {% set q %}a{{ x }}b{% endset %}{{ q|upper }}{% set q | upper | replace('A', '-') %}abc{% endset %}{{ q }}
[plain] {% set q = 0 %}{% for i in l %}{% set q = q + i %}{{ q }}{% endfor %}{{ q }}
[plain] {% if x %}{% set q = 1 %}{% else %}{% set w = 2 %}{% endif %}{{ q }}{{ w is defined }}{{ w }}
[plain] {% set ns = namespace(n=0, l=[]) %}{% for i in l %}{% set ns.n = ns.n + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.n }}{{ ns.l }}{{ ns }}{{ ns.q is defined }}
[plain] {% macro m() %}{{ late }}|{{ x }}{% endmacro %}{{ m() }}{% set late = 1 %}{% set x = 9 %}{{ m() }}
[plain] {% with a = 1, b = x %}{{ a }}{{ b }}{% set c = 5 %}{% with %}{{ c }}{% endwith %}{% endwith %}{{ c is defined }}{% with a, b = l[:2] %}{{ a }}{{ b }}{% endwith %}
[plain] {% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.cycle('p', 'q') }} {% endfor %}
[plain] {% for i in ls %}{{ loop.previtem|default('-') }}{{ i }}{{ loop.nextitem|default('-') }}{{ loop.changed(i|upper) }} {% endfor %}{{ loop }}
[plain] {% for i in [1, 1, 2, 2, 1] %}{% if loop.changed(i) %}{{ i }}{% endif %}{% endfor %}
[plain] {% for i in range(10) if i is odd and i > 2 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}none{% endfor %}
[plain] {% for i in [] %}{% else %}empty{% endfor %}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}
[plain] {% for a, (b, c) in [(1, (2, 3)), [4, '56']] %}{{ a }}{{ b }}{{ c }} {% endfor %}{% for c in 'é👍' %}[{{ c }}]{% endfor %}
[plain] {% for n in tree recursive %}{{ loop.depth }}{{ n.v }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% if not loop.last %},{% endif %}{% endfor %}
[plain] {% for a in l %}{% set o = loop %}{% for b in 'xy' %}{{ o.index }}{{ loop.index }}{{ b }} {% endfor %}{% endfor %}
[plain] {% for i in l|select('gt', 1) %}{{ i }}{{ loop.last }}{{ loop.length }}{% endfor %}
[chat] {% for i in range(9) %}{% if i is even %}{% continue %}{% endif %}{% if i > 6 %}{% break %}{% endif %}{{ i }}{% else %}E{% endfor %}
[chat] {% for i in [1] %}{% break %}{% else %}E{% endfor %}{% for i in [1] %}{% continue %}{% else %}F{% endfor %}{% for i in [1] %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}
[plain] {% macro m(a, b=2, c=a) %}{{ a }},{{ b }},{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, c=5) }}{{ m(b=1, a=0) }}{{ m() }}{{ m(*[7, 8]) }}{{ m(**{'c': 1}) }}
[plain] {% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, k=3) }}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}{{ m }}
[plain] {% macro box(t) %}<{{ t }}>{{ caller('q', n=1) }}</{{ t }}>{% endmacro %}{% call(a, n) box('b') %}{{ a }}{{ n }}{{ t }}{% endcall %}{% macro b(t) %}<{{ t }}>{{ caller() }}{% endmacro %}{% call b('i') %}z{{ t is defined }}{% endcall %}
[plain] {% macro f(n) %}{{ n }}{{ ' ' ~ f(n - 1) if n else '' }}{% endmacro %}{{ f(20) }}
[plain] {% macro m(x) %}{% set y = x %}{{ y }}{% endmacro %}{{ m(1) }}{{ y }}{% macro p(caller=none) %}{{ caller }}{% endmacro %}{{ p() }}
[plain] {% filter upper %}a{{ x }}{% set q = 1 %}{% endfilter %}{{ q is defined }}{% filter trim|replace('b', '<')|e %} abc {% endfilter %}
[plain] {% block a %}[{{ x }}{% block b %}in{% endblock b %}]{% endblock %}{{ self.a() }}{% for i in l %}{% block c scoped %}{{ i }}{% endblock %}{% block q %}{{ i }}{% endblock %}{% endfor %}
[plain] {% set v = 1 %}{% block a %}{{ v }}{{ super is defined }}{% endblock %}{% print x, 'a' %}{% autoescape true %}{{ '<' }}{{ '<'|safe }}{{ s }}{% endautoescape %}{{ '<' }}
[plain] {{ '<b>'|safe + '<i>' }}{{ '<i>' + '<b>'|safe }}{{ '<'|e }}{{ ['<'|e] }}{{ '<'|e|e }}{{ '<'|e|forceescape }}{{ ('<'|e).upper() }}{{ '%s'|safe|format('<') }}
[plain] {{ dict(a=1, b=2) }}{{ dict([('k', 'v')]) }}{{ dict({'q': 1}, r=2) }}{{ range(3)|list }}{{ range(5, 0, -2) }}{{ range(3) }}{{ dict.fromkeys('ab', 0) }}
[plain] {% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ c.reset() }}
[plain] {{ x is odd }}{{ x is even }}{{ x is divisibleby 3 }}{{ x is number }}{{ t is number }}{{ t is boolean }}{{ y is float }}{{ x is integer }}{{ t is integer }}
[plain] {{ s is string }}{{ l is sequence }}{{ d is mapping }}{{ d is sequence }}{{ l is iterable }}{{ x is iterable }}{{ n is none }}{{ s.upper is callable }}{{ nope is undefined }}
[plain] {{ 'a' is lower }}{{ 'A' is upper }}{{ x is eq 3 }}{{ x is ne 3 }}{{ x is lt 4 }}{{ x is ge 3 }}{{ 2 is in l }}{{ 2 is sameas 2 }}{{ 'trim' is filter }}{{ 'odd' is test }}{{ '<'|e is escaped }}
[plain] {{ x is not none }}{{ not x is none }}{{ x is divisibleby(2) or 'n' }}{{ 'a' is in 'abc' and true }}
[plain] {{ s|upper }}{{ s|lower }}{{ s|title }}{{ s|capitalize }}{{ 'ß ﬁ ŉ'|upper }}{{ 'ΑΣ İ'|lower }}{{ 'ǆ ß'|capitalize }}
[plain] {{ s|length }}{{ s|first }}{{ s|last }}{{ l|first }}{{ l|last }}{{ d|first }}{{ []|first }}|{{ l|max }}{{ l|min }}{{ l|sum }}{{ ls|min }}{{ ls|max }}{{ people|map(attribute='name')|min }}
[plain] {{ l|sort }}{{ ls|sort }}{{ ls|sort(case_sensitive=true) }}{{ ls|sort(true) }}{{ people|sort(attribute='name')|map(attribute='name')|list }}{{ d|dictsort }}{{ {'b': 1, 'A': 2}|dictsort(by='value', reverse=true) }}
[plain] {{ people|map(attribute='home.city', default='?')|list }}{{ l|map('string')|join('-') }}{{ ls|map('upper')|list }}{{ people|selectattr('age')|map(attribute='name')|list }}{{ people|rejectattr('home', 'defined')|list|length }}
[plain] {{ l|select('odd')|list }}{{ l|reject('odd')|list }}{{ [0, 1, '', 'a']|select|list }}{{ people|selectattr('age', 'gt', 10)|map(attribute='age')|first if false else 'x' }}{{ people|selectattr('name', 'in', ['bo'])|list|length }}
[plain] {% for g in people|groupby('home.city', default='-') %}{{ g.grouper }}{{ g.list|length }} {% endfor %}{% for k, g in [{'a': 1}, {'a': 2}, {'a': 1, 'b': 3}]|groupby('a') %}{{ k }}{{ g }}{% endfor %}{{ (['a', 'A', 'b']|groupby(0))[0].grouper }}
[plain] {{ [1, 1.0, 'a', 'A', true]|unique|list }}{{ ls|unique(case_sensitive=true)|list }}{{ l|batch(2, 'x')|list }}{{ l|slice(2)|list }}{{ l|slice(4, '-')|list }}{{ l|reverse|list }}{{ s|reverse }}
[plain] {{ ls|join }}{{ ls|join(', ') }}{{ people|join('/', attribute='name') }}{{ d|join }}{{ nope|join }}{{ [1, none, 2.0]|join('|') }}
[plain] {{ '42'|int }}{{ ' -7 '|int }}{{ '3.9'|int }}{{ 'q'|int }}{{ 'q'|int(5) }}{{ '0x1F'|int(base=16) }}{{ 'ff'|int(0, 16) }}{{ none|int }}{{ 2.9|int }}{{ true|int }}{{ '1_0'|int }}{{ '٣'|int }}
[plain] {{ '2.5'|float }}{{ '1e2'|float }}{{ 'q'|float }}{{ 'q'|float(1) }}{{ 'inf'|float }}{{ '-nan'|float }}{{ 3|float }}{{ none|float(0) }}
[plain] {{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ -2.5|round }}{{ 42.55|round(1, 'floor') }}{{ 42.51|round(1, 'ceil') }}{{ 7|round }}{{ 1234.5|round(-2) }}{{ 1250|round(-2) }}{{ -0.4|round }}
[plain] {{ -5|abs }}{{ -5.5|abs }}{{ true|abs }}{{ big|abs }}{{ 1000|filesizeformat }}{{ 1500000|filesizeformat }}{{ 2048|filesizeformat(true) }}{{ 1|filesizeformat }}
[plain] {{ text|wordcount }}{{ text|indent }}|{{ text|indent(2, first=true, blank=true) }}|{{ text|indent('> ') }}|{{ text|trim('seno') }}|{{ text|center(60) }}|
[plain] {{ text|wordwrap(10) }}|{{ 'aaa-bbb ccccccccccccccc d'|wordwrap(7) }}|{{ 'aaa-bbb ccccccccccccccc'|wordwrap(7, false, '/') }}|{{ 'a-b-c-d'|wordwrap(3, break_on_hyphens=false) }}
[plain] {{ text|truncate(12) }}|{{ text|truncate(12, true) }}|{{ text|truncate(12, true, '', 0) }}|{{ 'short'|truncate(3) }}|{{ s|truncate(16, leeway=0) }}
[plain] {{ s|replace('l', 'L') }}{{ s|replace('l', 'L', 1) }}{{ 'ab'|replace('', '.') }}{{ 121|replace(1, 'x') }}{{ s|striptags }}{{ '<a>b</a> &lt; <!-- c --> d'|striptags }}
[plain] {{ s|urlencode }}{{ {'a b': 'c&d', 'e': 1}|urlencode }}{{ [('x', 'é/')]|urlencode }}{{ 'see http://a.com/b?c=1, (www.d.org) or e@f.de.'|urlize }}{{ 'http://abcdef.com'|urlize(8, true, target='_blank') }}
[plain] {{ {'class': 'a b', 'id': none, 'data': '<'}|xmlattr }}{{ {}|xmlattr }}{{ {'a': 1}|xmlattr(false) }}{{ d|items|list }}{{ d|attr('keys') is callable }}{{ d|attr('b') is defined }}
[plain] {{ d|pprint }}{{ people|pprint }}{{ ('word ' * 30)|pprint }}{{ [['a' * 30, 'b' * 30], ['c' * 30]]|pprint }}
[plain] {{ d|tojson }}{{ "<a href='x'>&"|tojson }}{{ people|tojson(indent=2) }}{{ [1.0, 1e16, big, true, none]|tojson }}
[chat] {{ d|tojson }}{{ messages[2]|tojson(indent=4) }}{{ s|tojson }}{{ s|tojson(ensure_ascii=true) }}{{ d|tojson(separators=(',', ':'), sort_keys=true) }}{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}{{ [[], {}, [[]]]|tojson(indent=1) }}
[plain] {{ '%s and %r' % ('a', 'b') }}{{ '%05.1f|%-5d|%+d|%x|%X|%o|%e|%g|%c|%%' % (3.14159, 7, 8, 255, 255, 8, 12345.678, 1e-7, 'q') }}{{ '%(a)s' % {'a': 1} }}{{ '%5s|%-5s|%.2s' % ('a', 'b', 'cde') }}{{ '%s' % [1] }}{{ 'x' % [] }}
[plain] {{ '%s-%d'|format('a', 3.9) }}{{ '%(a)s'|format(a=1) }}{{ '%*d' % (5, 3) }}{{ '%#x %#o % d' % (255, 8, 3) }}{{ '%.3g %g %g' % (1234.5, 100000, 1000000) }}
[plain] {{ '{} {}'.format(1, 'a') }}{{ '{1}{0}'.format('a', 'b') }}{{ '{x}{d[b]}{l[0]}'.format(x=1, d=d, l=l) }}{{ '{:>8}|{:<8}|{:^8}|{:*^9}'.format('a', 'b', 'c', 'd') }}{{ '{!r}{!s:>4}'.format('a', 'b') }}{{ '{{}}'.format() }}
[plain] {{ '{:,}|{:_}|{:08,}|{:+}|{: }|{:b}|{:#x}|{:o}|{:c}'.format(1234567, 1234567, 1234, 5, 5, 5, 255, 8, 97) }}{{ '{:.2f}|{:10.3e}|{:g}|{:%}|{:.1%}|{:,.2f}|{}|{:.3}'.format(3.14159, 12345.6789, 0.0001, 0.25, 0.125, 1234567.891, 1e20, 1234.5) }}{{ '{:{}}|'.format('a', 5) }}
[plain] {{ s.split() }}{{ 'a,b,,c'.split(',') }}{{ 'a,b,c'.split(',', 1) }}{{ ' a  b '.split() }}{{ 'a b c'.rsplit(' ', 1) }}{{ ''.split() }}{{ ''.split(',') }}{{ 'a\nb\r\nc\n'.splitlines() }}{{ 'abab'.partition('b') }}{{ 'abab'.rpartition('b') }}
[plain] {{ '  a '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}{{ 'a'.ljust(3, '.') }}{{ 'a'.rjust(3) }}{{ 'a'.center(4, '-') }}{{ '-7'.zfill(4) }}
[plain] {{ s.find('l') }}{{ s.rfind('l') }}{{ s.find('zz') }}{{ s.index('👍') }}{{ s.count('l') }}{{ s.startswith('He') }}{{ s.endswith(('x', '>')) }}{{ s.startswith('l', 2) }}{{ 'aXbX'.replace('X', '-', 1) }}
[plain] {{ 'aBc'.swapcase() }}{{ "they're x2y".title() }}{{ 'ßAB'.casefold() }}{{ 'ab12'.isalnum() }}{{ '½'.isnumeric() }}{{ '²'.isdigit() }}{{ '²'.isdecimal() }}{{ ' \t'.isspace() }}{{ 'Ab Cd'.istitle() }}{{ 'a_1'.isidentifier() }}{{ 'é'.isascii() }}{{ 'a\n'.isprintable() }}
[plain] {{ ', '.join(ls) }}{{ 'a\tb'.expandtabs(4) }}{{ 'abc'.translate({97: 'X', 98: none}) }}{{ 'é👍'.encode()|length }}{{ 'é'.encode('latin-1') }}{{ 'abc'.encode().decode() }}
[plain] {% set q = [1] %}{% set _ = q.append(2) %}{% set _ = q.extend([3, 4]) %}{% set _ = q.insert(0, 9) %}{{ q.pop() }}{{ q.pop(0) }}{{ q }}{{ q.index(2) }}{{ q.count(1) }}{% set _ = q.reverse() %}{% set _ = q.remove(2) %}{{ q }}{% set _ = q.sort() %}{{ q }}{{ q.clear() }}{{ q.copy() }}
[plain] {% set q = {'a': 1} %}{% set _ = q.update({'b': 2}, c=3) %}{{ q.pop('a') }}{{ q.setdefault('z', 1) }}{{ q.popitem() }}{{ q }}{{ q.copy() }}{{ q.pop('no', 'd') }}
[plain] {{ (255).bit_length() }}{{ 2.5.is_integer() }}{{ (5).real }}{{ (0.5).as_integer_ratio() }}{{ x.__class__ }}{{ s.__class__.__name__ }}{{ l.__len__() }}
[chat] {{ s.__class__ }}|{{ l.append is defined }}|{{ [].__add__ is defined }}|{{ d._private }}|{{ range(3)|list }}|{{ '{0.__class__}'.format(1) }}|
[chat] {{ strftime_now('%d %b %Y %H:%M:%S') }}|{{ strftime_now('%A %a %B %-d %e %j %p %I %y %U %W %w %u %% %F %T %D %R %^a %q') }}
[chat] {% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content.split('</think>')[-1].lstrip('\n') }}{% endgeneration %}{% else %}<|{{ m['role'] }}|>{{ m.content | trim }}\n{% endif %}{% endfor %}{% if add_generation_prompt %}never{% endif %}
[chat] {% for m in messages[1:] %}{{ loop.index0 }}{{ m.content is string }}{% for c in m.tool_calls %}{{ c.function.arguments | tojson }}{% endfor %}{% endfor %}{{ messages[-1]['role'] }}{{ tools is defined }}
[chat] {%- set ns = namespace(found=false) -%}\n{%- for m in messages -%}\n  {%- if m.role == 'user' -%}{%- set ns.found = true -%}{%- endif -%}\n{%- endfor -%}\n{{- ns.found -}}\n
[lm_eval] {{ s }}\n{{ ls[0] }} {{ 'ABC'[x - 2] }}\n{% for c in ls %}{{ 'ABCD'[loop.index0] }}. {{ c }}\n{% endfor %}\n
[lm_eval] {{ s|regex_replace('l+', 'L') }}{{ 'a1b22'|regex_replace('(\\\\d+)', '<\\\\1>') }}{{ 'a1'|regex_replace('(?P<n>\\\\d)', '\\\\g<n>\\\\g<n>') }}{{ 'aaa'|regex_replace('a', 'b', 2) }}{{ 'x'|regex_replace('y*', '-') }}
[lm_eval] {{ nope is defined }}{{ nope|default('d') }}{{ 'a' if z }}|{{ d.nope is undefined }}{{ [1, nope]|length }}
[lm_eval] {{ nope }}
[lm_eval] {% if nope %}a{% endif %}
[lm_eval] {{ nope == 1 }}
[lm_eval] {% for i in nope %}{% endfor %}
[lm_eval] {{ 'a' in nope }}
[lm_eval] \n{{ 'a' ~ d.nope }}
[lm_eval] {{ l[7] }}
[lm_eval] {{ not nope }}
[plain] {{ nope.a }}
[plain] {{ nope['a'] }}
[plain] {{ d.nope.a }}
[plain] {{ n.a.b }}
[plain] {{ s.nope() }}
[plain] {{ nope() }}
[plain] {{ nope + 1 }}
[plain] {{ 'a' + nope }}
[plain] {{ -nope }}
[plain] {{ nope < 1 }}
[plain] {{ nope|int }}
[plain] {{ nope|tojson }}
[plain] \n\n{{ 1 + 'a' }}
[plain] {{ 'a' + 1 }}
[plain] {{ n + 'a' }}
[plain] {{ [1] + (2,) }}
[plain] {{ 1 < 'a' }}
[plain] {{ 1 in 'a' }}
[plain] {{ 1 in 2 }}
[plain] {{ [1, 'a']|sort }}
[plain] {{ 1 // 0 }}
[plain] {{ 1 % 0 }}
[plain] {{ 1.0 / 0 }}
[plain] {{ 5|length }}
[plain] {{ l|select|length }}
[plain] {{ x() }}
[plain] {{ l[::0] }}
[plain] {{ d[:1] }}
[plain] {{ {[1]: 2} }}
[plain] {{ 'a'.index('z') }}
[plain] {{ 'a'.replace('b') }}
[plain] {{ 'a'.join([1]) }}
[plain] {{ '%d' % 'a' }}
[plain] {{ '%s %s' % 'a' }}
[plain] {{ 'a' % 'b' }}
[plain] {{ '{}'.format() }}
[plain] {{ '{a}'.format(b=1) }}
[plain] {{ [].pop() }}
[plain] {{ {}.pop('a') }}
[plain] {{ range('a') }}
[plain] {{ (e ~ 'inf')|float|int }}
[plain] {{ 10.0 ** 400 }}
[plain] {% set a, b = [1] %}
[plain] {% set a, b = 5 %}
[plain] {% for a, b in [[1, 2, 3]] %}{% endfor %}
[plain] {% for i in 5 %}{% endfor %}
[plain] {% for i in n %}{% endfor %}
[plain] {% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
[plain] {% macro m(a) %}{% endmacro %}\n{{ m(b=1) }}
[plain] {% set d.a = 1 %}
[plain] {% include 'other' %}
[plain] {% extends 'other' %}
[plain] {{ super() }}
[plain] {{ [1]|map('nope')|list }}
[plain] {{ [1]|map|list }}
[plain] {{ [1]|select('nope')|list }}
[plain] {{ [1]|items|list }}
[plain] {{ x|round(method='up') }}
[plain] {% if z %}{{ x|nope }}{% endif %}ok
[plain] {% if x %}{{ x|nope }}{% endif %}
[plain] {{ x|nope }}
[plain] {{ x is nope }}
[plain] {% for i in l %}{% if x %}{% for j in l %}{{ j|nope }}{% endfor %}{% endif %}{% endfor %}
[chat] {{ raise_exception('no ' ~ x) }}
[chat] a\n{% if x %}\n{{ raise_exception('late') }}\n{% endif %}
[chat] {% set _ = l.append(1) %}
[chat] {{ d.update({}) }}
[chat] {{ d.pop('b') }}
[chat] {{ s.__class__.__name__ }}
[chat] {{ range(100001) }}
[chat] {{ (nope)|tojson }}
[chat] {{ l|map('string')|tojson }}
[plain] {% if x %}a
[plain] {% for i in l %}{% if i %}{% endfor %}
[plain] {% if x %}{% else %}{% else %}{% endif %}
[plain] {% nope %}
[plain] {% endif %}
[plain] {{ }}
[plain] {{ x
[plain] {{ 'a }}
[plain] {{ x) }}
[plain] {{ (x] }}
[plain] {{ a..b }}
[plain] {{ x $ y }}
[plain] {# x
[plain] {% raw %}x
[plain] {% set 1 = 2 %}
[plain] {% set true = 2 %}
[plain] {% for loop in l %}{% endfor %}
[plain] {% for i in l %}{% set loop = 1 %}{% endfor %}
[plain] {% block a %}{% endblock %}{% block a %}{% endblock %}
[plain] {% block a-b %}{% endblock %}
[plain] {% block a required %}x{% endblock %}
[plain] {% block a required %} {% endblock %}
[plain] {% macro m(a=1, b) %}{% endmacro %}
[plain] {% macro m(a, a) %}{% endmacro %}
[plain] {{ f(a=1, 2) }}
[plain] {{ f(a=1, a=2) }}
[plain] {{ x is odd is even }}
[plain] {% call x %}{% endcall %}
[plain] {% break %}
[chat] {% break %}
[plain] {% do x %}
[plain] {{ '\\x4' }}
[plain] {{ '\\N{NO SUCH THING}' }}
[plain] \n{% set q %}\n{{ [ }}
[plain] {% include x ignore missing with context %}
[plain] {{ 1 if }}
[plain] {{ x.1a }}
[plain] {{ {'a' 1} }}
[plain] {% from 'a' import _b %}
[plain] {{ ²x }}
[plain] {{ 1 2 }}
[plain] # for i in l\n## c\n100% {x} %} }} #}
[plain] {#
[plain] {% raw %}
[plain] {{ x }}{% if x %}{{ y }}{% endif %}{{
"""

ATOMS = ["x", "y", "z", "s", "e", "n", "t", "l", "ls", "d", "f", "big", "nope", "text", "people", "'abc'", "'a,b,,c'", "' pad '", "'12'", "'-3.7'",
         "'%s|%d'", "'{}-{:>4}'", "'<p>&amp;'", "0", "1", "2", "-1", "7", "0.5", "2.675", "1e16", "true", "false", "none", "[]", "[1, 'a']", "(2, 1)",
         "{'k': 1, 'a': none}", "range(4)"]
FILTERS = ["abs", "batch(2)", "capitalize", "center(9)", "count", "d('z')", "dictsort", "e", "filesizeformat", "first", "float", "format(1, 2)", "indent(2, true)",
           "int", "items", "join(',')", "last", "list", "lower", "map('upper')", "map(attribute='name')", "max", "min", "pprint", "reject('odd')", "replace('a', 'X')",
           "reverse", "round(1)", "safe", "select('string')", "selectattr('age')", "slice(2)", "sort", "string", "striptags", "sum", "title", "tojson", "trim('a ')",
           "truncate(9)", "unique", "upper", "urlencode", "urlize", "wordcount", "wordwrap(8)", "xmlattr", "list", "length", "default('q', true)"]
METHODS = ["upper()", "title()", "strip('a ')", "split(',')", "split()", "rsplit(' ', 1)", "splitlines()", "partition('l')", "replace('l', 'L', 1)", "find('b')",
           "count('a')", "startswith(('H', 'a'))", "isdigit()", "isupper()", "join(ls)", "zfill(6)", "center(8, '*')", "format(1, 'b')", "items()", "keys()", "get('a', 0)",
           "copy()", "index(1)", "append(4)", "pop()", "bit_length()", "is_integer()", "name", "a", "0"]
TESTS = ["defined", "none", "string", "number", "mapping", "sequence", "iterable", "odd", "divisibleby 3", "lower", "in [1, 'a']", "eq 1", "lt 3", "true", "sameas none"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]


def expression(rng, depth):
    if depth == 0:
        return rng.choice(ATOMS)
    inner = lambda: expression(rng, depth - 1)
    kind = rng.randrange(8)
    if kind < 2:
        return f"({inner()})|{rng.choice(FILTERS)}"
    if kind == 2:
        return f"({inner()}).{rng.choice(METHODS)}"
    if kind == 3:
        return f"({inner()}){rng.choice(['[0]', '[-1]', '[1:]', '[::-1]', '[:2]', '[x]', '[nope]'])}"
    if kind < 6:
        return f"{inner()} {rng.choice(OPERATORS)} {inner()}"
    if kind == 6:
        return f"{inner()} is {rng.choice(['', 'not '])}{rng.choice(TESTS)}"
    return f"{inner()} if {inner()} else {inner()}"


class Late(Exception):
    pass


def late(*_):
    raise Late()


def main():
    warnings.simplefilter("ignore")
    out = []
    for line in WRITTEN.strip().splitlines():
        header, template = re.fullmatch(r"\[(.*?)\] (.*)", line).groups()
        name, *on = header.split()
        options = {{"trim": "trim_blocks", "lstrip": "lstrip_blocks", "keep": "keep_trailing_newline"}[o]: True for o in on}
        template = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), template)
        out.append([name, options, template, render(name, options, template)])
    rng = random.Random(7)
    signal.signal(signal.SIGALRM, late)
    wanted = len(out) + 300
    while len(out) < wanted:
        name, template = rng.choice(["plain", "chat", "lm_eval"]), "{{ " + expression(rng, rng.randrange(1, 4)) + " }}"
        signal.setitimer(signal.ITIMER_REAL, 1)
        try:
            result = render(name, {}, template)
        except Late:
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        text = result if isinstance(result, str) else result["class"] + result["message"]
        if " at 0x" in text.lower() or "Late" in text or len(text) > 400 or "complex" in text or re.search(r"\dj\)", text):
            continue
        if isinstance(result, dict) and ("slice(" in result["message"] or rng.random() < 0.8):
            continue
        out.append([name, {}, template, result])
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in out)
    text = '{"now": "%s",\n"context": %s,\n"cases": [\n%s\n]}\n' % (NOW.isoformat(), json.dumps(CONTEXT, ensure_ascii=False), lines)
    pathlib.Path(__file__).with_name("golden.json").write_text(text, "utf-8")
    print(len(out), "cases")


if __name__ == "__main__":
    main()
