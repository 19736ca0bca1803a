/**
 * Queries of alerts and workbook, read by Microsoft's own language service for Kusto: stdin holds `{tables, queries}`
 * as JSON, stdout gets what is wrong with each query.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { stdout } from "node:process";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { Kusto, Bridge } = globalThis;
const { TableSymbol, DatabaseSymbol } = Kusto.Language.Symbols;
const { tables, queries } = JSON.parse(readFileSync(0, "utf-8"));
const symbols = Object.entries(tables).map(([name, columns]) => new TableSymbol.$ctor7(name, columns, null));
const database = new DatabaseSymbol.$ctor1("applicationInsights", symbols);
const known = Kusto.Language.GlobalState.Default.WithDatabase(database);

const found = [];
for (const { place, text } of queries) {
  const said = Kusto.Language.KustoCode.ParseAndAnalyze(text, known).GetDiagnostics();
  for (const one of Bridge.toArray(said)) {
    found.push({ place, code: one.Code, message: one.Message });
  }
}
stdout.write(JSON.stringify(found));
