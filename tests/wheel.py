"""Look into the built wheel: three packages, with their scripts and pages, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGES = {"bot", "handlers", "storage"}


def main() -> None:
    """Compare the newest wheel in ``dist`` with what git tracks of the three packages."""
    newest = max(Path("dist").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    packed = {name for name in zipfile.ZipFile(newest).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *sorted(PACKAGES)],
        check=True,
        capture_output=True,
        text=True,
    )
    tracked = set(listed.stdout.split())
    if packed != tracked or not tracked:
        sys.exit(f"{newest} differs from the tree: {sorted(packed ^ tracked)}")
    print(f"{newest}: {len(packed)} files of {', '.join(sorted(PACKAGES))}")


if __name__ == "__main__":
    main()
