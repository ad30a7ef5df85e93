"""Mutants of a Python module, found in its syntax tree."""

import ast
import copy
from collections.abc import Iterator
from itertools import pairwise

from tests.mutants.mutant import Mutant, changed

FLIPS: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Pow: ast.Mult,
}
REMOVABLE = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Change a module in one place after the other; not its figures, nor what is only said."""
    tree = ast.parse(source)
    places = _Places(source)
    for node in _walk(tree):
        for old, new in _expressions(node) if isinstance(node, ast.expr) else _tests(node):
            yield changed(file, source, *places.of(old), new)
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            for start, end, new in _statements(node, places):
                yield changed(file, source, start, end, new)
        for body in _bodies(node):
            for one, two in pairwise(body):
                if _order_matters(one, two):
                    (start, middle), (then, end) = places.of(one), places.of(two)
                    swapped = f"{source[then:end]}{source[middle:then]}{source[start:middle]}"
                    yield changed(file, source, start, end, swapped)


class _Places:
    """Where nodes stand in a source: their offsets count UTF-8, ours letters."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: ast.expr | ast.stmt | ast.ExceptHandler) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def at(self, line: int, column: int) -> int:
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Give all nodes but for annotations, decorators, docstrings, logs, metrics and figures."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_silent(node, child):
                yield from _walk(child)


def _is_silent(parent: ast.AST, node: ast.AST) -> bool:
    if isinstance(parent, ast.Module) and isinstance(node, ast.Assign | ast.AnnAssign | ast.For):
        return True  # a figure, whose uses are changed instead
    if isinstance(parent, ast.ClassDef) and isinstance(node, ast.AnnAssign):
        return True  # likewise
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr) or (isinstance(parent, ast.Raise) and node is parent.exc):
        return True
    return isinstance(node, ast.stmt) and _is_said(node)


def _is_said(statement: ast.stmt) -> bool:
    """Tell a line for the log, or a figure for an operator."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    root: ast.AST = statement.value
    while isinstance(root, ast.Call | ast.Attribute):
        root = root.func if isinstance(root, ast.Call) else root.value
    return isinstance(root, ast.Name) and (root.id in ("log", "getattr") or root.id.isupper())


def _expressions(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                for flip in FLIPS[type(op)]:
                    yield node, _with(node, ops=[*ops[:place], flip(), *ops[place + 1 :]])
        case ast.BoolOp(values=values):
            for place in range(len(values)):
                left = [*values[:place], *values[place + 1 :]]
                yield node, _with(node, values=left)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, _text(operand)
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield node, _with(node, op=ARITHMETIC[type(op)]())
        case ast.Constant(value=value):
            yield from ((node, repr(another)) for another in _another(value))
        case ast.Call(keywords=given):
            shorter = [[*given[:place], *given[place + 1 :]] for place in range(len(given))]
            yield from ((node, _with(node, keywords=left)) for left in shorter)
    yield from _tests(node)


def _with(node: ast.expr, **changed: object) -> str:
    other = copy.copy(node)
    for name, value in changed.items():
        setattr(other, name, value)
    return _text(other)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.BoolOp) and len(node.values) == 1:
        node = node.values[0]
    text = ast.unparse(node)
    return text if isinstance(node, ast.Call) else f"({text})"


def _tests(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Turn a condition round that is no comparison."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        conditions = [node.test]
    elif isinstance(node, ast.comprehension):
        conditions = node.ifs
    else:
        conditions = []
    for test in conditions:
        if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
            yield test, f"(not ({ast.unparse(test)}))"


def _another(value: object) -> list[object]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1]
        case str() if value:
            return [f"{value}{value[0]}"]
    return []


def _statements(
    node: ast.stmt | ast.ExceptHandler, places: _Places
) -> Iterator[tuple[int, int, str]]:
    start, end = places.of(node)
    if _is_removable(node):
        yield start, end, "pass"
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield *places.of(node.type), "()"
    if isinstance(node, ast.With | ast.AsyncWith):
        body = node.body[0]
        for place, item in enumerate(node.items):
            if item.optional_vars is None:
                left = [ast.unparse(one) for one in node.items if one is not item]
                word = "async with" if isinstance(node, ast.AsyncWith) else "with"
                header = f"{word} {', '.join(left)}:" if left else "if True:"
                begin = places.at(body.lineno, 0)
                yield start, begin, f"{header}\n"
                assert place < len(node.items)


def _is_removable(node: ast.stmt | ast.ExceptHandler) -> bool:
    match node:
        case ast.Expr(value=ast.Call() | ast.Await()):
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return True
        case ast.Return(value=value):
            return value is None or not (isinstance(value, ast.Constant) and value.value is None)
    return isinstance(node, REMOVABLE)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    if not isinstance(node, ast.Module | ast.ClassDef):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, [])
            if isinstance(body, list):
                yield [one for one in body if isinstance(one, ast.stmt) and not _is_said(one)]


def _order_matters(one: ast.stmt, two: ast.stmt) -> bool:
    """Tell whether two neighbours do something, and the second needs no name of the first."""
    if not all(isinstance(each, ast.Expr | ast.Assign | ast.AugAssign) for each in (one, two)):
        return False
    names = {
        node.id
        for node in ast.walk(one)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    used = {node.id for node in ast.walk(two) if isinstance(node, ast.Name)}
    acts = any(isinstance(node, ast.Await | ast.Call) for node in ast.walk(one))
    then_acts = any(isinstance(node, ast.Await | ast.Call) for node in ast.walk(two))
    return acts and then_acts and not names & used
