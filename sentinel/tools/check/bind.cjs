// Binds KQL with Microsoft's own language service, all of it in one process: JSON on stdin, JSON on stdout.
//
// in:  {tables: {name: {column: type}}, functions: [{name, parameters, body}], queries: [{name, text}]}
// out: {queryName: {diagnostics: [{severity, line, column, message}], columns: [[name, type]], tree}}
//      tree: [kind, start, end, name or null, kind of the symbol it means or null, [children]], tokens left out
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');

const { KustoCode, GlobalState, Symbols, Syntax } = Kusto.Language;

function symbols({ tables, functions }) {
  const schema = (columns) => `(${Object.entries(columns).map(([name, type]) => `['${name}']:${type}`).join(', ')})`;
  return [
    ...Object.entries(tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, schema(columns), null)),
    ...functions.map(({ name, parameters, body }) =>
      new Symbols.FunctionSymbol.$ctor16(name, `(${parameters})`, `{\n${body}\n}`, null)),
  ];
}

function diagnosticsOf(code, text) {
  const found = [];
  const each = Bridge.getEnumerator(code.GetDiagnostics());
  while (each.moveNext()) {
    const { Severity: severity, Start: start, Message: message } = each.Current;
    if (severity === 'Suggestion') continue;
    const before = text.slice(0, start).split('\n');
    found.push({ severity, line: before.length, column: before.at(-1).length + 1, message });
  }
  return found;
}

function columnsOf(code) {
  const columns = code.ResultType?.Columns;
  return columns ? Array.from({ length: columns.Count }, (_, i) => columns.getItem(i)).map((c) => [c.Name, c.Type.Name]) : [];
}

function treeOf(node) {
  const children = [];
  for (let i = 0; i < node.ChildCount; i++) {
    const child = node.GetChild(i);
    if (child && !child.IsToken) children.push(treeOf(child));
  }
  const symbol = node.ReferencedSymbol;
  return [
    System.Enum.toString(Syntax.SyntaxKind, node.Kind), node.TextStart, node.End,
    symbol?.Name ?? null, symbol ? Bridge.getTypeName(symbol).split('.').at(-1) : null, children,
  ];
}

const asked = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const database = new Symbols.DatabaseSymbol.$ctor3('workspace', null, System.Array.init(symbols(asked), Symbols.Symbol), false);
const globals = GlobalState.Default.WithDatabase(database);
const answers = {};
for (const { name, text } of asked.queries) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  answers[name] = { diagnostics: diagnosticsOf(code, text), columns: columnsOf(code), tree: treeOf(code.Syntax) };
}
process.stdout.write(JSON.stringify(answers));
