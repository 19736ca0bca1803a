/** eslint's recommended rules, as they are, and which globals there are where. */

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { files: ["web/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["tests/web/**/*.js"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  { files: ["playground/site/page/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["playground/site/worker.js"], languageOptions: { globals: globals.worker } },
  { files: ["playground/*.mjs"], languageOptions: { globals: globals.node } },
  { ignores: ["web/vendor/**"] },
];
