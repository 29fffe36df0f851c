// Makes handlebars.json: templates of our own, and what handlebars.js 4 renders with dotprompt's options and comparisons.
// npm install handlebars@4, then: node handlebars.mjs > handlebars.json
import Handlebars from 'handlebars';

const h = Handlebars.create();
h.registerHelper('json', (value, options) => JSON.stringify(value, null, options.hash.indent || 0));
h.registerHelper('ifEquals', function (a, b, o) { return a === b ? o.fn(this) : o.inverse(this); });
h.registerHelper('unlessEquals', function (a, b, o) { return a !== b ? o.fn(this) : o.inverse(this); });
const known = {json: true, ifEquals: true, unlessEquals: true};

const people = [{name: 'Ann', age: 31, tags: ['a', 'b']}, {name: 'Bo', age: 0, tags: []}, {name: 'Cy', tags: ['c']}];
const data = {
  name: 'Ann', empty: '', zero: 0, one: 1, half: 0.5, tiny: 1e-7, big: 1e21, large: 123456789012, yes: true, no: false, nothing: null,
  list: ['x', 'y', 'z'], none: [], numbers: [1, 2.5, -3], nested: [[1, 2], [3]], people, map: {k1: 'v1', k2: 'v2'}, blank: {},
  html: '<b>&"\'</b>', text: 'two\nlines', 'odd key': 'odd', deep: {a: {b: {c: 'deep'}}}, key: 'k2', index: 1, braces: '{{name}}',
  people2: {first: people[0]}, partial: 'greet',
};
const partials = {
  greet: 'Hello {{name}}!', line: 'line {{name}}\n', two: 'one\ntwo\n', outer: '[{{> greet}}]', arg: '{{who}}/{{name}}',
  block: '<{{> @partial-block}}>', each: '{{#each list}}{{this}};{{/each}}', self: '{{name}}{{#if next}}>{{> self next}}{{/if}}',
};
const context = {state: {count: 3, none: null}, auth: {email: 'a@b'}};

const templates = [
  // values
  '{{name}}', '{{ name }}', '{{{html}}}', '{{html}}', '{{&html}}', '{{missing}}', '{{missing.deeper}}', '{{nothing}}|{{empty}}|{{zero}}|{{no}}|{{yes}}',
  '{{half}} {{tiny}} {{big}} {{large}} {{one}}', '{{list}}', '{{numbers}}', '{{nested}}', '{{map}}', '{{none}}|', '{{people}}',
  '{{[odd key]}}', '{{deep.a.b.c}} {{deep/a/b/c}}', '{{list.[1]}} {{list.length}} {{name.length}}', '{{people.[0].name}}',
  '{{people.[0].tags.[1]}}', '{{this.name}} {{./name}}', '{{braces}}', '{{"a text"}}', '{{text}}', '{{list.[9]}}|{{list.[x]}}',
  // raw text
  'a \\{{name}} b', 'a \\\\{{name}} b', '\\\\\\{{name}}', '\\{{name}} {{name}} \\{{name}}', 'C:\\dir {{name}}', '{{{{raw}}}} {{name}} {{{{/raw}}}}', '{ {name} } }} {', 'a {{! comment }} b', 'a {{!-- {{name}} --}} b',
  'a\n{{! comment }}\nb', 'a\n  {{!-- comment --}}  \nb', '',
  // if, unless
  '{{#if yes}}Y{{/if}}{{#if no}}N{{/if}}', '{{#if zero}}a{{else}}b{{/if}}', '{{#if zero includeZero=true}}a{{else}}b{{/if}}',
  '{{#if none}}a{{else}}b{{/if}}{{#if list}}c{{/if}}', '{{#if blank}}a{{else}}b{{/if}}', '{{#if empty}}a{{else if name}}b{{else}}c{{/if}}',
  '{{#if no}}a{{else if zero}}b{{else if yes}}c{{else}}d{{/if}}', '{{#if missing}}a{{^}}b{{/if}}', '{{#unless no}}a{{else}}b{{/unless}}',
  '{{#unless name}}a{{else}}b{{/unless}}', '{{^if yes}}a{{else}}b{{/if}}', '{{#if "x"}}a{{/if}}{{#if 0}}b{{/if}}{{#if true}}c{{/if}}',
  '{{#if nothing}}a{{else}}b{{/if}}', '{{#if deep.a.b.c}}{{deep.a.b.c}}{{/if}}',
  // each
  '{{#each list}}{{this}}{{/each}}', '{{#each list}}{{@index}}={{this}}{{#unless @last}}, {{/unless}}{{/each}}',
  '{{#each list}}{{#if @first}}<{{/if}}{{.}}{{#if @last}}>{{/if}}{{/each}}', '{{#each list}}{{@first}} {{@last}};{{/each}}',
  '{{#each map}}{{@key}}:{{this}}{{#unless @last}},{{/unless}}{{/each}}', '{{#each map}}{{@index}} {{@first}};{{/each}}',
  '{{#each none}}a{{else}}b{{/each}}', '{{#each missing}}a{{else}}b{{/each}}', '{{#each blank}}a{{else}}b{{/each}}',
  '{{#each people}}{{name}}({{age}}) {{/each}}', '{{#each people}}{{name}}:{{#each tags}}{{../name}}-{{this}} {{/each}};{{/each}}',
  '{{#each people}}{{#each tags}}{{@../index}}.{{@index}} {{/each}}{{/each}}', '{{#each people as |p i|}}{{i}}{{p.name}} {{/each}}',
  '{{#each map as |v k|}}{{k}}={{v}} {{/each}}', '{{#each nested}}{{#each this}}{{this}}{{/each}}|{{/each}}', '{{#each numbers}}{{this}} {{/each}}',
  '{{#each people}}{{#if age}}{{name}} is {{age}}{{else}}{{name}} has none{{/if}}\n{{/each}}', '{{#each list}}{{../name}}{{/each}}',
  '{{#each people}}{{../../name}}|{{/each}}', '{{#each list}}{{name}}{{/each}}|', '{{#each people}}{{@root.name}}{{/each}}',
  '{{#each people}}{{#with this}}{{name}}{{/with}}{{/each}}', '{{#each list}}{{@key}}{{/each}}', '{{#each people}}{{#each ../list}}{{this}}{{/each}} {{/each}}',
  '{{#each people}}{{#if tags}}{{#each tags}}{{../name}}{{/each}}{{/if}}{{/each}}', '{{#each people}}{{lookup ../list @index}}{{/each}}',
  // with, lookup
  '{{#with deep.a}}{{b.c}} {{../name}}{{/with}}', '{{#with missing}}a{{else}}b{{/with}}', '{{#with map as |m|}}{{m.k1}}{{/with}}', '{{#with blank}}a{{else}}b{{/with}}',
  '{{lookup map "k1"}} {{lookup map key}} {{lookup list index}} {{lookup list 0}}', '{{lookup map "none"}}|', '{{#with (lookup people 0)}}{{name}}{{/with}}',
  '{{lookup (lookup people 0) "name"}}', '{{#if (lookup map "k1")}}yes{{/if}}', '{{lookup missing "x"}}|',
  // comparisons
  '{{#ifEquals name "Ann"}}same{{else}}other{{/ifEquals}}', '{{#ifEquals one 1}}a{{/ifEquals}}{{#ifEquals one "1"}}b{{/ifEquals}}',
  '{{#ifEquals one true}}a{{else}}b{{/ifEquals}}', '{{#unlessEquals name "Bo"}}a{{else}}b{{/unlessEquals}}', '{{#ifEquals zero empty}}a{{else}}b{{/ifEquals}}',
  '{{#ifEquals zero no}}a{{else}}b{{/ifEquals}}', '{{#ifEquals half 0.5}}a{{else}}b{{/ifEquals}}', '{{#ifEquals list list}}a{{else}}b{{/ifEquals}}',
  '{{#each people}}{{#ifEquals name "Bo"}}*{{/ifEquals}}{{name}}{{/each}}', '{{#unlessEquals zero no}}a{{else}}b{{/unlessEquals}}',
  '{{#ifEquals (lookup list 0) "x"}}a{{/ifEquals}}', '{{#ifEquals nothing null}}a{{else}}b{{/ifEquals}}', '{{#ifEquals missing undefined}}a{{else}}b{{/ifEquals}}',
  // json
  '{{json this.map}}', '{{json list}}', '{{json people indent=2}}', '{{json html}}', '{{json half}} {{json one}} {{json yes}} {{json nothing}}', '{{json blank indent=2}}{{json none indent=2}}',
  '{{json text}}', '{{#each people}}{{json this}}{{/each}}',
  // sections without a helper
  '{{#name}}{{this}}{{/name}}', '{{#people}}{{name}} {{/people}}', '{{#deep}}{{a.b.c}}{{/deep}}', '{{#no}}a{{/no}}{{^no}}b{{/no}}', '{{#none}}a{{else}}b{{/none}}', '{{#yes}}{{name}}{{/yes}}',
  '{{^list}}a{{/list}}{{^none}}b{{/none}}', '{{#list}}{{.}}{{@index}}{{/list}}',
  // white space
  'a\n{{#if yes}}\nb\n{{/if}}\nc', 'a\n  {{#if yes}}\n  b\n  {{/if}}\nc', 'a {{#if yes}}\nb\n{{/if}} c', '{{#if yes}}\nb\n{{/if}}\n', 'a\n{{#if no}}\nb\n{{else}}\nc\n{{/if}}\nd',
  '{{#each list}}\n- {{this}}\n{{/each}}\nend', '{{#each list}}\n  - {{this}}\n{{else}}\n  nothing\n{{/each}}', 'a  {{~name~}}  b', 'a\n\n{{~#if yes~}}\n\n b \n\n{{~/if~}}\n\nc',
  '{{#each list~}}\n {{this}}\n{{~/each}}', '{{#if yes}}  x  {{~else~}}  y  {{/if}}', '{{#if no}}  x  {{~else~}}  y  {{~/if}} z', '{{name}}\n{{name}}\n', '\n{{#if yes}}a{{/if}}\n',
  '{{#if yes}}\r\na\r\n{{/if}}\r\nb', '{{#each people}}\n{{#if age}}\n{{name}}\n{{/if}}\n{{/each}}\nend', '{{#if yes}}\n\na\n\n{{/if}}\n\nb', '\t{{#if yes}}\t\na\t{{/if}}\nb',
  '{{#if yes}}a{{/if}}\n{{#if no}}b{{/if}}\nc', '{{!-- c --}}\n{{name}}', '{{~! c ~}} a', 'a {{~! c }} b', 'a {{! c ~}} b', 'a {{~!-- {{c}} --~}} b', 'a {{!-- c --~}}\n b\n{{! c }}\n d', '{{~{html}~}} a',
  // partials
  '{{> greet}}', '{{>greet}}', 'a {{> greet}} b', '{{> greet name="Zed"}}', '{{> greet people.[0]}}', '{{> greet people2.first}}', '{{> outer}}', '{{> arg who=key}}', '{{> arg deep who="x"}}',
  'a\n{{> two}}\nb', 'a\n  {{> two}}\nb', '{{> line}}\nx', 'a\n {{~> two}}\nb', '{{> (lookup . "partial")}}', '{{> greet}} {{> greet}}\nb', '{{#if yes}}{{> greet}}\n{{/if}}b', 'a {{> greet}}\nb', '{{> greet}}\n{{> greet}}\n', '{{> greet ~}}\nb', 'a\r\n{{> greet}}\r\nb', 'a\n\t{{> outer}}\nb', '{{#each people}}{{> greet}}\n{{/each}}', '{{#> block}}in {{name}}{{/block}}',
  '{{#> missing}}fallback {{name}}{{/missing}}', '{{#*inline "mine"}}<{{name}}>{{/inline}}{{> mine}}{{> mine name="I"}}', '{{> each}}', '{{#with map}}{{> greet name="W"}}{{/with}}',
  '{{#each list}}{{> greet name=this}}{{/each}}',
  // data
  '{{@state.count}} {{@auth.email}}|{{@state.none}}|{{@missing}}', '{{#each list}}{{@state.count}}{{/each}}', '{{#if @auth.email}}in{{/if}}', '{{#ifEquals @state.count 3}}a{{/ifEquals}}',
  // what is wrong
  '{{#if yes}}', '{{/if}}', '{{name', '{{#if yes}}a{{/each}}', '{{unknown name}}', '{{#unknown name}}a{{/unknown}}', '{{> nowhere}}', '{{}}',
];

const cases = templates.map(template => {
  for (const [name, text] of Object.entries(partials)) h.registerPartial(name, text);
  try {
    return {template, expected: h.compile(template, {knownHelpers: known, knownHelpersOnly: true, noEscape: true})(data, {data: {...context}})};
  } catch (e) {
    return {template, error: e.message.split('\n')[0]};
  }
});
console.log(JSON.stringify({data, partials, context, cases}, null, 1));
