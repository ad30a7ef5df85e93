import sys, tempfile
from pathlib import Path
from tests.mutants.__main__ import mutants, equal
from tests.mutants.trial import Ground

file, *tests = sys.argv[1:]
excused = equal()
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as d:
        g = Ground(Path(d, "0"))
        v = g.run(tests, 300)
        print("sound", v)
        if v.by:
            sys.exit()
        limit = 10 + 4 * v.seconds
        n = k = 0
        by = []
        for m in mutants(file):
            if any(e.covers(m) for e in excused):
                continue
            n += 1
            r = g.try_out(m, tests, limit, by)
            if r.by:
                k += 1
                if r.by in by:
                    by.remove(r.by)
                by.insert(0, r.by)
            else:
                print(f"lives: {m.file}:{m.line}: {m.was}\n    -> {m.becomes}", flush=True)
        print(k, "of", n)
