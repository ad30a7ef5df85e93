"""Awkward answers of models: name, Markdown, and what :func:`shown` has to make of it."""

ANSWERS: list[tuple[str, str, str]] = [
    ("plain words", "Привет! Чем могу помочь?", "Привет! Чем могу помочь?"),
    (
        "emphasis",
        "**Жирный**, *курсив*, __жирный__, _курсив_, ***оба***, ~~нет~~ и `код`.",
        (
            "<bold>Жирный</bold>, <italic>курсив</italic>, <bold>жирный</bold>, "
            "<italic>курсив</italic>, <italic><bold>оба</bold></italic>, "
            "<strikethrough>нет</strikethrough> и <code>код</code>."
        ),
    ),
    (
        "bold inside a word",
        "**Глав**ный и **«Тихий Дон»**, роман",
        "<bold>Глав</bold>ный и <bold>«Тихий Дон»</bold>, роман",
    ),
    ("unclosed bold", "Это **важно", "Это **важно"),
    (
        "stars of a product",
        "2*3*4 = 24, a*b*c, 2 * 3 * 4 и **2*3**",
        "2*3*4 = 24, a*b*c, 2 * 3 * 4 и <bold>2*3</bold>",
    ),
    (
        "comparisons",
        "Если a < b и c > d, то x<y && y>z, а x << 1.",
        "Если a < b и c > d, то x<y && y>z, а x << 1.",
    ),
    (
        "arrows and operators",
        "a -> b => c <- d <= e; p || q || r",
        "a -> b => c <- d <= e; p || q || r",
    ),
    (
        "names with underscores",
        "Переменная snake_case_name и __init__.py, def __init__(self), __важно__.",
        "Переменная snake_case_name и __init__.py, def __init__(self), <bold>важно</bold>.",
    ),
    (
        "backslashes",
        "Путь C:\\new\\*.txt и \\*не курсив\\*, \\_нет\\_",
        "Путь C:\\new\\*.txt и *не курсив*, _нет_",
    ),
    (
        "html block",
        ("<div>привет</div> a < b\n<p>ещё</p>\n\nконец"),
        ("<div>привет</div> a < b\n<p>ещё</p>\n\nконец"),
    ),
    (
        "html around code",
        ("<details>\n<summary>Код</summary>\n```html\n<p>a < b</p>\n```\n</details>"),
        ("<details>\n<summary>Код</summary>\n<pre html><p>a < b</p></pre>\n</details>"),
    ),
    (
        "inline html",
        "Вода H<sub>2</sub>O, <b>жирно</b>, <br>тег <b> и <!-- тайна -->",
        "Вода H₂O, <bold>жирно</bold>,\nтег <b> и <!-- тайна -->",
    ),
    ("html entities", "&lt;b&gt; &amp; &copy; AT&T", "<b> & © AT&T"),
    (
        "autolink",
        "См. <https://example.com> или https://example.com/a_b_c.",
        "См. https://example.com или https://example.com/a_b_c.",
    ),
    ("thinking first", ("<think>\nHmm, **what**?\n</think>\n\nОтвет: 42"), "Ответ: 42"),
    (
        "about thinking",
        "Тег `<think>` открывает, </think> закрывает <think>мысли</think>.",
        "Тег <code><think></code> открывает, </think> закрывает <think>мысли</think>.",
    ),
    (
        "headings",
        ("# Первый\n## Второй\n### Третий **жирный**\n##### Пятый\nтекст"),
        (
            "<bold><underline>Первый</underline></bold>\n"
            "<bold><underline>Второй</underline></bold>\n"
            "<bold>Третий жирный</bold>\n"
            "<italic>Пятый</italic>\n"
            "текст"
        ),
    ),
    (
        "underlined heading",
        ("Заголовок\n===\nтекст\n\nДругой\n---\nещё"),
        (
            "<bold><underline>Заголовок</underline></bold>\n"
            "текст\n"
            "\n"
            "<bold><underline>Другой</underline></bold>\n"
            "ещё"
        ),
    ),
    (
        "nested lists",
        (
            "Список:\n"
            "- один\n"
            "  - два\n"
            "    - три\n"
            "      продолжение\n"
            "- четыре\n"
            "\n"
            "1. первый\n"
            "   - внутри\n"
            "2. второй\n"
            "10) десятый"
        ),
        (
            "Список:\n"
            "• один\n"
            "  • два\n"
            "    • три\n"
            "продолжение\n"
            "• четыре\n"
            "\n"
            "1. первый\n"
            "  • внутри\n"
            "2. второй\n"
            "10) десятый"
        ),
    ),
    ("list first", ("- a\n  > цитата\n- b"), ("• a\n<blockquote>цитата</blockquote>\n• b")),
    (
        "code in a list",
        ("1. Установите:\n   ```bash\n   pip install x\n   ```\n2. Запустите"),
        ("1. Установите:\n<pre bash>pip install x</pre>\n2. Запустите"),
    ),
    (
        "loose list",
        ("* первый\n\n  абзац первого\n\n* второй\n\n\nпосле"),
        ("• первый\nабзац первого\n• второй\n\nпосле"),
    ),
    ("task list", "- [ ] купить хлеб\n- [x] выучить Python", "☐ купить хлеб\n☑ выучить Python"),
    (
        "fence with language",
        (
            "Вот:\n"
            "```python\n"
            "def f(a, b):\n"
            '    return a < b and 2*3*4 or "\\\\(\\\\alpha\\\\)"\n'
            "```\n"
            "Готово"
        ),
        (
            "Вот:\n"
            "<pre python>def f(a, b):\n"
            '    return a < b and 2*3*4 or "\\\\(\\\\alpha\\\\)"</pre>\n'
            "Готово"
        ),
    ),
    ("fence with a title", ('```python title="a.py"\nx = 1\n```'), "<pre python>x = 1</pre>"),
    (
        "unclosed fence",
        ("Смотрите:\n```js\nif (a < b) {\n  **x**"),
        ("Смотрите:\n<pre js>if (a < b) {\n  **x**</pre>"),
    ),
    ("fence of tildes", ("~~~\n```\nвнутри\n```\n~~~"), ("<pre>```\nвнутри\n```</pre>")),
    (
        "indented code",
        ("Код:\n\n    a = 1\n    b = 2\n\nвсё"),
        ("Код:\n\n<pre>a = 1\nb = 2</pre>\n\nвсё"),
    ),
    ("code with backticks", "Пишите ``a `b` c`` и ` `.", "Пишите <code>a `b` c</code> и  ."),
    ("empty fence", "```python\n```", "```python\n```"),
    (
        "latex in code",
        ("```latex\n\\[ \\frac{a}{b} \\]\n```\nи `\\(\\alpha+1\\)`"),
        "<pre latex>\\[ \\frac{a}{b} \\]</pre>\nи <code>\\(\\alpha+1\\)</code>",
    ),
    (
        "table",
        (
            "| Язык | Год | О нём |\n"
            "|:--|:-:|--:|\n"
            "| Python | 1991 | простой и понятный |\n"
            "| C | 1972 | **быстрый** |"
        ),
        (
            "<pre>Язык   | Год  | О нём\n"
            "-------+------+-------------------\n"
            "Python | 1991 | простой и понятный\n"
            "C      | 1972 | быстрый</pre>"
        ),
    ),
    (
        "table of operators",
        ("| Оператор | Смысл |\n|---|---|\n| `a || b` | или |\n| `a && b` | и |"),
        ("<pre>Оператор | Смысл\n---------+------\na || b   | или\na && b   | и</pre>"),
    ),
    (
        "table with empty cells",
        ("|a||b|\n|-|-|-|\n|c||d|"),
        ("<pre>a |  | b\n--+--+--\nc |  | d</pre>"),
    ),
    (
        "table of formulas",
        ("| Фигура | Площадь |\n|---|---|\n| Круг | $\\pi r^2$ |\n| Квадрат | \\(a^2\\) |"),
        ("<pre>Фигура  | Площадь\n--------+--------\nКруг    | πr²\nКвадрат | a²</pre>"),
    ),
    (
        "table of links",
        (
            "| Сайт | Ссылка |\n"
            "|---|---|\n"
            "| Python | [python.org](https://python.org) |\n"
            "| Доки | [читать](https://docs.python.org) |"
        ),
        (
            "<bold>Сайт:</bold> Python\n"
            "<bold>Ссылка:</bold> <text_link https://python.org>python.org</text_link>\n\n"
            "<bold>Сайт:</bold> Доки\n"
            "<bold>Ссылка:</bold> <text_link https://docs.python.org>читать</text_link>"
        ),
    ),
    (
        "table too narrow",
        ("a | b\n--|--\nc | d | e | f"),
        ("<pre>a | b |   |\n--+---+---+--\nc | d | e | f</pre>"),
    ),
    (
        "table in a quote",
        ("> | a | b |\n> |---|---|\n> | c | d | e |"),
        ("<blockquote><pre>a | b |\n--+---+--\nc | d | e</pre></blockquote>"),
    ),
    (
        "latex",
        (
            "Формула $E = mc^2$, \\(\\alpha + \\beta \\leq \\gamma\\) и\n"
            "\\[\n"
            "\\frac{a}{b} = \\sqrt{x_1}\n"
            "\\]\n"
            "$$\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$$"
        ),
        (
            "Формула <code>E = mc²</code>, <code>α + β ≤ γ</code> и\n"
            "<pre>a/b = √x₁</pre>\n"
            "<pre>∑ᵢ₌₁ⁿ i = n(n + 1) / 2</pre>"
        ),
    ),
    (
        "money",
        "От $10.49 до $11.20, примерно ~5 и ~6 штук",
        "От $10.49 до $11.20, примерно ~5 и ~6 штук",
    ),
    (
        "links",
        (
            "[Питон](https://python.org), [чат](tg://resolve?domain=durov), "
            "[**жирная**](http://1.2.3.4:8080/a?b=c#d)"
        ),
        (
            "<text_link https://python.org>Питон</text_link>, <text_link "
            "tg://resolve?domain=durov>чат</text_link>, <text_link "
            "http://1.2.3.4:8080/a?b=c#d><bold>жирная</bold></text_link>"
        ),
    ),
    (
        "links refused",
        (
            "[readme](README.md), [сервер](http://localhost:8080/x), "
            "[глава](#glava), [файл](/etc/passwd), [злая](javascript:alert(1)), "
            "[порт](https://a.b:99999)"
        ),
        (
            "readme (README.md), сервер (http://localhost:8080/x), глава, файл "
            "(/etc/passwd), злая (javascript:alert(1)), порт (https://a.b:99999)"
        ),
    ),
    (
        "links to people",
        "[Пишите](mailto:a@b.ru), [звоните](tel:+79990001122), [a@b.ru](mailto:a@b.ru)",
        "Пишите (a@b.ru), звоните (+79990001122), a@b.ru",
    ),
    (
        "bold link refused",
        "**[сервер](http://localhost/) важен** и *дальше*",
        "<bold>сервер (http://localhost/) важен</bold> и <italic>дальше</italic>",
    ),
    (
        "bold beside links refused",
        "[сервер](http://localhost/)**важен**, **[файл](foo)**",
        "сервер (http://localhost/)<bold>важен</bold>, <bold>файл (foo)</bold>",
    ),
    (
        "links without a label",
        "[](https://a.ru) и ![](https://a.ru/b.png)",
        "https://a.ru и https://a.ru/b.png",
    ),
    (
        "images",
        "![кот](https://a.ru/cat.png) [![знак](https://a.ru/i.png)](https://a.ru)",
        (
            "<text_link https://a.ru/cat.png>кот</text_link> <text_link "
            "https://a.ru>знак</text_link>"
        ),
    ),
    ("custom emoji", "![👍](tg://emoji?id=5368324170671202286) ок", "👍 ок"),
    (
        "link references",
        ('Есть [тут][1] и [там][]\n\n[1]: https://a.ru "А"\n[там]: https://b.ru'),
        "Есть <text_link https://a.ru>тут</text_link> и [там][]\n[там]: https://b.ru",
    ),
    (
        "words like references",
        ("[Ответ]: 42\n\n[1]: https://a.ru"),
        ("[Ответ]: 42\n\n[1]: https://a.ru"),
    ),
    ("footnotes", ("Факт[^1].\n\n[^1]: https://a.ru"), ("Факт[^1].\n\n[^1]: https://a.ru")),
    (
        "spoiler",
        "Убийца — ||дворецкий||, а не ||сад**ов**ник||",
        ("Убийца — <spoiler>дворецкий</spoiler>, а не <spoiler>сад<bold>ов</bold>ник</spoiler>"),
    ),
    (
        "quotes",
        ("> Цитата **жирная**\n> > вложенная\n> обратно\n\nтекст\n\n>без пробела\nленивое"),
        (
            "<blockquote>Цитата <bold>жирная</bold>\n"
            "вложенная\n"
            "обратно</blockquote>\n"
            "\n"
            "текст\n"
            "\n"
            "<blockquote>без пробела\n"
            "ленивое</blockquote>"
        ),
    ),
    ("rule", ("до\n\n---\n\nпосле\n***\nвсё"), ("до\n\n————————\n\nпосле\n————————\nвсё")),
    (
        "emoji families",
        "👨\u200d👩\u200d👧\u200d👦 **семья 👩🏽\u200d💻** и 🇷🇺 *флаг 🏳\ufe0f\u200d🌈* `код 😀`",
        (
            "👨\u200d👩\u200d👧\u200d👦 <bold>семья 👩🏽\u200d💻</bold> и 🇷🇺 "
            "<italic>флаг 🏳\ufe0f\u200d🌈</italic> "
            "<code>код 😀</code>"
        ),
    ),
    (
        "combining marks",
        "**и\u0306** Z\u0351\u036b\u0313A\u0334\u0335 и \u202eназад\u202c",
        "<bold>и\u0306</bold> Z\u0351\u036b\u0313A\u0334\u0335 и \u202eназад\u202c",
    ),
    (
        "windows lines",
        ("a\r\n\r\n**b**\r\n- c\r\n- d\rend"),
        ("a\n\n<bold>b</bold>\n• c\n• d\nend"),
    ),
    ("hard breaks", ("один  \nдва\\\nтри"), ("один\nдва\nтри")),
    ("only markers", "**", "**"),
    ("only a rule of dashes", "---", "————————"),
    ("lone surrogate", "a \ud83d **b**", "a \ufffd <bold>b</bold>"),
    (
        "nul and controls",
        "a\x00b\x07 **c\x1b**\ufdd0\ufffe",
        "a\x00b\x07 <bold>c\x1b</bold>\ufffd\ufffe",
    ),
    (
        "dialogue",
        ("— Привет, — сказал он.\n— Привет!\n- Как дела?\n+ Хорошо"),
        ("— Привет, — сказал он.\n— Привет!\n• Как дела?\n• Хорошо"),
    ),
    (
        "english mix",
        (
            "Use `git rebase -i HEAD~3`:\n"
            "\n"
            "1. **Pick** commits\n"
            "2. *Squash* — `s`\n"
            "\n"
            "> **Note:** don't `push -f`!"
        ),
        (
            "Use <code>git rebase -i HEAD~3</code>:\n"
            "\n"
            "1. <bold>Pick</bold> commits\n"
            "2. <italic>Squash</italic> — <code>s</code>\n"
            "\n"
            "<blockquote><bold>Note:</bold> don't <code>push -f</code>!</blockquote>"
        ),
    ),
    (
        "json",
        '{"a": {"b": [1, 2, {"c": "*x*"}]}, "d": "_y_"}',
        ('{"a": {"b": [1, 2, {"c": "<italic>x</italic>"}]}, "d": "<italic>y</italic>"}'),
    ),
    ("stars around spaces", "** не жирный ** и * не курсив *", "** не жирный ** и * не курсив *"),
    (
        "deep quote",
        ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>> глубоко",
        "<blockquote>глубоко</blockquote>",
    ),
    (
        "mixed nesting",
        "**жирный _и курсив `и код` вот_ конец** [ссылка с `кодом`](https://a.ru)",
        (
            "<bold>жирный <italic>и курсив <code>и код</code> вот</italic> "
            "конец</bold> <text_link https://a.ru>ссылка с <code>кодом</code></text_link>"
        ),
    ),
    (
        "right to left",
        "**שלום** עולם, `code` ו־*עברית*.\n\n- مرحبا **بالعالم**\n- English",
        (
            "<bold>שלום</bold> עולם, <code>code</code> ו־<italic>עברית</italic>.\n\n"
            "• مرحبا <bold>بالعالم</bold>\n• English"
        ),
    ),
    (
        "flags and keycaps",
        "1️⃣ **Россия** 🇷🇺\n2️⃣ *Казахстан* 🇰🇿\n3️⃣ 👍🏽👍🏿 `🇺🇳`",
        "1️⃣ <bold>Россия</bold> 🇷🇺\n2️⃣ <italic>Казахстан</italic> 🇰🇿\n3️⃣ 👍🏽👍🏿 <code>🇺🇳</code>",
    ),
    (
        "numbered advice",
        (
            "1. **Plan ahead.** Write it down:\n   - goals\n   - *deadlines*\n\n"
            "2. **Start small.** Then `iterate`.\n\n3. **Rest.**"
        ),
        (
            "1. <bold>Plan ahead.</bold> Write it down:\n  • goals\n"
            "  • <italic>deadlines</italic>\n"
            "2. <bold>Start small.</bold> Then <code>iterate</code>.\n3. <bold>Rest.</bold>"
        ),
    ),
    ("all ones", "1. раз\n1. два\n1. три", "1. раз\n2. два\n3. три"),
    ("list from seven", "7. seven\n8. eight\n\n9) nine", "7. seven\n8. eight\n\n9) nine"),
    (
        "code in a quote",
        "> Смотри:\n> ```py\n> x = 1\n> ```\n> — и **всё**",
        "<blockquote>Смотри:\n<pre py>x = 1</pre>\n— и <bold>всё</bold></blockquote>",
    ),
    (
        "fence of four",
        "````md\n```py\nx = 1\n```\n````\nготово",
        "<pre md>```py\nx = 1\n```</pre>\nготово",
    ),
    (
        "unclosed everything",
        "Итак, **жирный *курсив ~~зачёркнутый `код [ссылка](http://exa",
        "Итак, **жирный *курсив ~~зачёркнутый `код [ссылка](http://exa",
    ),
    (
        "unclosed link",
        "Смотри [документацию](https://docs.python.org/3/library/as",
        "Смотри [документацию](https://docs.python.org/3/library/as",
    ),
    ("unclosed formula", "По формуле $E = mc^2 и ещё", "По формуле $E = mc^2 и ещё"),
    (
        "shell variables",
        "Set $HOME and $PATH, then run `echo $HOME`.",
        "Set $HOME and $PATH, then run <code>echo $HOME</code>.",
    ),
    (
        "prices in a table",
        "| Plan | Price |\n|---|---|\n| Basic | $5 |\n| **Pro** | $10 |",
        "<pre>Plan  | Price\n------+------\nBasic | $5\nPro   | $10</pre>",
    ),
    (
        "table without a text before",
        "| | A | B |\n|---|---|---|\n| да | 1 | 2 |",
        "<pre>   | A | B\n---+---+--\nда | 1 | 2</pre>",
    ),
    (
        "table after a text",
        "Сравним:\n| a | b |\n|---|---|\n| *c* | `d` |\n\nВот.",
        "Сравним:\n<pre>a | b\n--+--\nc | d</pre>\n\nВот.",
    ),
    (
        "citations",
        'Python is popular [1][2], see [the survey](https://a.ru/s "Survey") [3].',
        "Python is popular [1][2], see <text_link https://a.ru/s>the survey</text_link> [3].",
    ),
    (
        "index and slice",
        "`a[0]` and a[0], m[i][j] = f(x)[1:2]",
        "<code>a[0]</code> and a[0], m[i][j] = f(x)[1:2]",
    ),
    (
        "link with parentheses",
        "[Rust (язык)](https://ru.wikipedia.org/wiki/Rust_(язык)) и **дальше**",
        (
            "<text_link https://ru.wikipedia.org/wiki/Rust_(язык)>Rust (язык)</text_link> и "
            "<bold>дальше</bold>"
        ),
    ),
    (
        "display math in a list",
        "1. Площадь:\n   $$S = \\pi r^2$$\n2. Длина: \\(l = 2 \\pi r\\)",
        "1. Площадь:\n<pre>S = πr²</pre>\n2. Длина: <code>l = 2πr</code>",
    ),
    (
        "system of equations",
        (
            "Решим:\n\\[\n\\begin{cases} x + y = 2 \\\\ x - y = 0 \\end{cases}\n\\]\n"
            "Ответ: \\(x = 1\\)."
        ),
        "Решим:\n<pre>⎧ x + y = 2\n⎩ x − y = 0</pre>\nОтвет: <code>x = 1</code>.",
    ),
    (
        "poem",
        "У лукоморья дуб зелёный;  \nЗлатая цепь на дубе том:  \n*И днём и ночью* кот учёный",
        (
            "У лукоморья дуб зелёный;\nЗлатая цепь на дубе том:\n"
            "<italic>И днём и ночью</italic> кот учёный"
        ),
    ),
    (
        "heading then list",
        "## Плюсы\n- быстро\n- *дёшево*\n## Минусы\n1. нет\n---\nИтог: **да**",
        (
            "<bold><underline>Плюсы</underline></bold>\n• быстро\n• <italic>дёшево</italic>\n"
            "<bold><underline>Минусы</underline></bold>\n1. нет\n————————\nИтог: <bold>да</bold>"
        ),
    ),
    (
        "emoji bullets",
        "✅ **Да**\n❌ ~~Нет~~\n⚠️ *Может быть*",
        "✅ <bold>Да</bold>\n❌ <strikethrough>Нет</strikethrough>\n⚠️ <italic>Может быть</italic>",
    ),
    ("diff", "```diff\n- старое\n+ новое\n```", "<pre diff>- старое\n+ новое</pre>"),
    (
        "yaml",
        "```yaml\n- name: a\n  on: [push]\n---\n# комментарий\n```",
        "<pre yaml>- name: a\n  on: [push]\n---\n# комментарий</pre>",
    ),
    (
        "page of html",
        "```html\n<!-- index.html -->\n<b>a</b> &amp; **c**\n```\n&amp; <i>d</i>",
        "<pre html><!-- index.html -->\n<b>a</b> &amp; **c**</pre>\n& <italic>d</italic>",
    ),
    (
        "bold with punctuation",
        "**Важно:** «**цитата**», (**скобки**) — **«кавычки»**!",
        (
            "<bold>Важно:</bold> «<bold>цитата</bold>», (<bold>скобки</bold>) — "
            "<bold>«кавычки»</bold>!"
        ),
    ),
    ("stars of a footnote", "Цена* 100 ₽.\n\n\\* без НДС", "Цена* 100 ₽.\n\n* без НДС"),
    (
        "snake in bold",
        "**snake_case_name** и *ещё_один* и _a_b_",
        "<bold>snake_case_name</bold> и <italic>ещё_один</italic> и <italic>a_b</italic>",
    ),
    ("thinking twice", "<think>a</think>\n<think>b</think>\n**Да**", "<bold>Да</bold>"),
    (
        "nested quote with list",
        "> - один\n> - **два**\n>\n> > глубже",
        "<blockquote>• один\n• <bold>два</bold>\n\nглубже</blockquote>",
    ),
    ("empty list item", "- один\n-\n- три", "• один\n•\n• три"),
    ("tabs", "-\tодин\n\t- два\n\n\tкод?", "• один\n  • два\nкод?"),
    ("long rule", "a\n\n* * *\n\nb\n\n_____\n\nc", "a\n\n————————\n\nb\n\n————————\n\nc"),
    (
        "bare address",
        "Пишите на a@b.ru, www.example.com или https://пример.рф/путь?x=1&y=2.",
        "Пишите на a@b.ru, www.example.com или https://пример.рф/путь?x=1&y=2.",
    ),
]

_CODE = "\n".join(f"    print({n})  # строка" for n in range(300))

LONG: dict[str, str] = {
    "bold words": " ".join(f"**слово{n}**" for n in range(200)),
    "advice": "\n\n".join(
        f"{n}. **Совет {n}.** " + "Пишите *просто* и `коротко`. " * 5 + "\n   - например"
        for n in range(1, 60)
    ),
    "sections": "\n\n".join(
        f"## Section {n}\n\n" + "Some words, **some bold**. " * 9 + "\n\n- one\n- *two*\n  - three"
        for n in range(40)
    ),
    "table": "| Имя | Значение |\n|---|---|\n"
    + "\n".join(f"| имя {n**3} | {'x' * (n % 17)} |" for n in range(200)),
    "giant code": f"Вот:\n\n```python\n{_CODE}\n```\n\nЗапустите **так**: `python a.py`.",
    "giant code alone": f"```sql\n{_CODE}",
    "giant code in a list": "1. Первый:\n   ```js\n"
    + "\n".join(f"   f({n});" for n in range(500))
    + "\n   ```\n2. Второй",
    "much code": "\n\n".join(f"Файл {n}:\n\n```go\n{_CODE[:1500]}\n```" for n in range(6)),
    "code between": "слово " * 300 + f"\n\n```python\n{_CODE[:3400]}\n```\n\n" + "слово " * 900,
    "one paragraph": "Слово за **словом**, и ещё *одно*. " * 250,
    "one word": "я😀" * 4000,
    "families": "👨\u200d👩\u200d👧\u200d👦🇷🇺" * 900,
    "quote": "> цитата с *курсивом* " + "и словами " * 900,
    "everything": "\n\n".join(
        markdown
        for name, markdown, _ in ANSWERS
        if not name.startswith(("unclosed", "thinking", "empty"))
    ),
}
"""Answers too long for one message, or for the eyes."""
