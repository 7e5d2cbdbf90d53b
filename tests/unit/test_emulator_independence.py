"""The emulator is an oracle: it shares no code with what it judges."""

import ast
import subprocess
import sys
from pathlib import Path

import jpki.emulator

FOLDER = Path(jpki.emulator.__file__).parent


def loaded_after(code: str) -> set[str]:
    program = f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_leaves_apdu_and_heavy_packages_out() -> None:
    loaded = loaded_after("import jpki.emulator, jpki.emulator.pytest_plugin")
    roots = {name.partition(".")[0] for name in loaded}
    assert roots.isdisjoint({"apdu", "cli", "cryptography", "asn1crypto", "smartcard", "click"})
    own = {name for name in loaded if name.startswith("jpki.")}
    assert {name for name in own if not name.startswith("jpki.emulator")} <= {"jpki._version"}


def test_import_works_where_unix_modules_are_missing() -> None:
    blocked = "('termios', 'fcntl', 'pwd', 'grp', 'resource')"
    loaded = loaded_after(
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\nimport jpki.emulator"
    )
    assert "jpki.emulator.card" in loaded


def test_source_imports_standard_library_cryptography_and_itself_only() -> None:
    allowed = sys.stdlib_module_names | {"cryptography"}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            elif isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            else:
                continue
            for name in imported:
                own = name.startswith("jpki.emulator")
                plugin = path.name == "pytest_plugin.py" and name == "pytest"
                assert own or plugin or name.partition(".")[0] in allowed, f"{path.name}: {name}"
