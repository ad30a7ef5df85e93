"""Write anew what people read of the answers."""

from handlers.rendering.markup import render
from tests.handlers.corpus import kinds, parts, write
from tests.handlers.reading import messages, shown

for file in kinds():
    texts = ["\n\n".join(map(shown, messages(render(answer)))) for answer in parts(file)]
    write(file.with_suffix(".txt"), texts)
