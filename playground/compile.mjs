/** Compiles a folder of Python by the very Python that will import it: `node compile.mjs PYODIDE FOLDER`. */

import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const [pyodide, folder] = process.argv.slice(2).map((given) => resolve(given));
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")).href);
const python = await loadPyodide({ indexURL: pyodide });
python.FS.mkdirTree("/campanha"); // where the page has it, too: it stands in tracebacks
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/campanha");
python.runPython(`
import compileall, py_compile
whole = compileall.compile_dir(
    "/campanha", quiet=1, workers=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, optimize=0
)
assert whole, "a module does not compile"
`);
