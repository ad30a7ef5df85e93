"""LaTeX's commands for single symbols."""


def _table(words: str) -> dict[str, str]:
    names = words.split()
    return dict(zip(names[::2], names[1::2], strict=True))


INFIX = _table("""
    pm ± mp ∓ times × div ÷ cdot · ast ∗ star ⋆ circ ∘ bullet • oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙
    cup ∪ cap ∩ setminus ∖ smallsetminus ∖ sqcup ⊔ sqcap ⊓ land ∧ wedge ∧ lor ∨ vee ∨ veebar ⊻
    le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ lt < gt > ll ≪ gg ≫ approx ≈ equiv ≡
    sim ∼ simeq ≃ cong ≅ propto ∝ asymp ≍ doteq ≐ coloneqq := triangleq ≜ prec ≺ succ ≻ preceq ⪯
    succeq ⪰ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ subsetneq ⊊ supset ⊃ supseteq ⊇ supsetneq ⊋
    nsubseteq ⊈ to → rightarrow → leftarrow ← gets ← leftrightarrow ↔ longrightarrow ⟶
    longleftarrow ⟵ longleftrightarrow ⟷ Rightarrow ⇒ Longrightarrow ⇒ implies ⇒ Leftarrow ⇐
    impliedby ⇐ Leftrightarrow ⇔ Longleftrightarrow ⇔ iff ⇔ mapsto ↦ longmapsto ⟼
    rightleftharpoons ⇌ leftrightharpoons ⇋ rightharpoonup ⇀ hookrightarrow ↪ leadsto ⇝ nearrow ↗
    searrow ↘ swarrow ↙ nwarrow ↖ mid | nmid ∤ divides | parallel ∥ nparallel ∦ perp ⊥ bot ⊥
    models ⊨ vDash ⊨ vdash ⊢ bmod mod vdots ⋮ ddots ⋱ therefore ∴ because ∵ nRightarrow ⇏
    nrightarrow ↛ lesssim ≲ gtrsim ≳ uplus ⊎ colon : rightrightarrows ⇉
""")
"""Operators and relations, with spaces around them."""

ATOMS = _table("""
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι
    kappa κ varkappa ϰ lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ
    varsigma ς tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ
    Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω varGamma Γ varDelta Δ varOmega Ω
    infty ∞ partial ∂ nabla ∇ forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ emptyset ∅ varnothing ∅
    angle ∠ measuredangle ∡ sphericalangle ∢ triangle △ square □ Box □ blacksquare ■ diamond ⋄
    Diamond ◇ lozenge ◊ checkmark ✓ dagger † ddagger ‡ hbar ℏ hslash ℏ ell ℓ Re ℜ Im ℑ wp ℘
    aleph ℵ beth ℶ imath ı jmath ȷ prime ′ degree ° celsius °C ldots … dots … dotsc … dotsb …
    cdots ⋯ dotsm ⋯ top ⊤ N ℕ Z ℤ Q ℚ R ℝ C ℂ AA Å aa å S § P ¶ copyright © pounds £ euro €
    backslash \\ surd √ flat ♭ sharp ♯ natural ♮ clubsuit ♣ spadesuit ♠ heartsuit ♥ diamondsuit ♦
    uparrow ↑ downarrow ↓
    updownarrow ↕ Uparrow ⇑ Downarrow ⇓ complement ∁ mho ℧ eth ð lbrack [ rbrack ] textdegree °
    textmu µ ohm Ω
""")
"""Letters, and signs that behave like letters."""

BRACKETS = _table("""
    lbrace { rbrace } { { } } langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ vert | lvert |
    rvert | | ‖ Vert ‖ lVert ‖ rVert ‖ lbrack [ rbrack ] lgroup ( rgroup )
""")

BIG = _table("""
    sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ oiint ∯ bigcup ⋃ bigcap ⋂ bigvee ⋁
    bigwedge ⋀ bigoplus ⨁ bigotimes ⨂
""")
"""Operators over what follows, with limits below and above."""

FUNCTIONS = frozenset(
    """
    sin cos tan tg ctg cot sec csc cosec arcsin arccos arctan arctg arcctg arccot sinh cosh tanh
    coth sh ch th cth ln lg log exp lim limsup liminf max min sup inf det dim ker rank rang rg deg
    arg gcd lcm lcd sgn sign tr Tr mod grad rot curl const Pr hom Arg Ker argmin argmax span
    """.split()  # noqa: SIM905 (a list of words is read as words)
)

ACCENTS = {
    "vec": "\u20d7", "overrightarrow": "\u20d7", "overleftarrow": "\u20d6", "bar": "\u0304",
    "overline": "\u0305", "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303",
    "widetilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "dddot": "\u20db",
    "underline": "\u0332", "mathring": "\u030a", "acute": "\u0301", "grave": "\u0300",
    "check": "\u030c", "breve": "\u0306", "cancel": "\u0338", "bcancel": "\u0338",
    "not": "\u0338", "overarc": "\u0311", "wideparen": "\u0311",
}  # fmt: skip
"""Accents on a letter."""

NEGATED = {"=": "≠", "∈": "∉", "⊂": "⊄", "⊆": "⊈", "≡": "≢", "∥": "∦", "<": "≮", ">": "≯", "|": "∤",
           "≤": "≰", "≥": "≱", "∼": "≁", "≈": "≉", "⇒": "⇏", "→": "↛", "∃": "∄", "⊃": "⊅",
           "⊇": "⊉", "≅": "≇"}  # fmt: skip

DOUBLE_STRUCK = str.maketrans("CHNPQRZ", "ℂℍℕℙℚℝℤ")
SCRIPT = str.maketrans("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ")

SUBSCRIPTS = str.maketrans(
    "0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ"
)
SUPERSCRIPTS = str.maketrans(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθ",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿ",
)


def small(text: str, *, raised: bool) -> str | None:
    """Write a subscript, or ``raised`` a superscript, if Unicode has all the letters."""
    table = SUPERSCRIPTS if raised else SUBSCRIPTS
    return text.translate(table) if text and all(ord(c) in table for c in text) else None
