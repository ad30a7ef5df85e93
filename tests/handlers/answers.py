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
        "Путь C:\\new*.txt и *не курсив*, _нет_",
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
        "Вода H<sub>2</sub>O, <b>жирно</b>, <br> и <!-- тайна -->",
        "Вода H<sub>2</sub>O, <b>жирно</b>, <br> и <!-- тайна -->",
    ),
    ("html entities", "&lt;b&gt; &amp; &copy; AT&T", "<b> & © AT&T"),
    (
        "autolink",
        "См. <https://example.com> или https://example.com/a_b_c.",
        "См. <https://example.com> или https://example.com/a_b_c.",
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
            "10. десятый"
        ),
    ),
    ("list first", ("- a\n  > цитата\n- b"), ("• a\n<blockquote>цитата\n</blockquote>• b")),
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
        ("<pre>Фигура  | Площадь\n--------+--------\nКруг    | π r²\nКвадрат | (a^2)</pre>"),
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
            "<pre>Сайт   | Ссылка\n"
            "-------+---------------------------------\n"
            "Python | python.org (https://python.org)\n"
            "Доки   | читать (https://docs.python.org)</pre>"
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
            "<pre>a/b = √x\u0305₁\u0305</pre>\n"
            "<pre>∑ᵢ₌₁ⁿ i = (n(n+1))/2</pre>"
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
        "сервер (http://localhost/)<bold>важен</bold>, <bold>файл</bold> (foo)",
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
]
