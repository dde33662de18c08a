// SPDX-License-Identifier: Apache-2.0
// Regular expressions as administrators write them into allow-lists: the syntax of RE2 without
// flags, named groups and Unicode classes, matched anywhere in a text. All alternatives advance
// together, so that no pattern takes more than its length for a character.
// It refuses what it does not know: a list that is read wrongly allows too much.

const REPEAT_LIMIT: i32 = 1000;
const PROGRAM_LIMIT: i32 = 20000;
const DEPTH_LIMIT: i32 = 100;

const enum Op {
  Char,
  Split,
  Begin,
  End,
  Word,
  NoWord,
  Match,
}

/** A step: Char takes a character of `set`; Split goes on at both places, any other at the next. */
class Step {
  negated: bool = false;
  /** Ranges of characters: low, high, low, high. */
  set: i32[] = [];
  a: i32 = 0;
  b: i32 = 0;
  constructor(public op: Op) {}
  takes(c: i32): bool {
    for (let i = 0; i < this.set.length; i += 2) {
      if (c >= this.set[i] && c <= this.set[i + 1]) return !this.negated;
    }
    return this.negated;
  }
}

const enum Shape {
  One,
  Sequence,
  Choice,
  Repeat,
}

class Node {
  parts: Node[] = [];
  low: i32 = 0;
  /** -1: without end. */
  high: i32 = 0;
  constructor(
    public shape: Shape,
    public step: Step = new Step(Op.Match),
  ) {}
}

function is_digit(c: i32): bool {
  return c >= 48 && c <= 57;
}

function is_word(c: i32): bool {
  return is_digit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 95;
}

const DIGITS: i32[] = [48, 57];
const WORDS: i32[] = [48, 57, 65, 90, 95, 95, 97, 122];
const SPACES: i32[] = [9, 10, 12, 13, 32, 32];

export class Regex {
  /** What is wrong with the pattern; "" when it can be used. */
  problem: string = "";
  private at: i32 = 0;
  private depth: i32 = 0;
  private steps: Step[] = [];

  constructor(private pattern: string) {
    const node = this.choice();
    if (this.problem.length == 0 && this.at < pattern.length) this.fail(`")" without "("`);
    if (this.problem.length == 0) this.emit(node);
    this.steps.push(new Step(Op.Match));
  }

  private fail(problem: string): void {
    if (this.problem.length == 0) this.problem = problem;
  }
  /** The character at the place, -1 at the end. */
  private peek(): i32 {
    return this.at < this.pattern.length ? this.pattern.charCodeAt(this.at) : -1;
  }
  private next(): i32 {
    const c = this.peek();
    this.at++;
    return c;
  }

  private choice(): Node {
    const node = new Node(Shape.Choice);
    if (++this.depth > DEPTH_LIMIT) {
      this.fail("nested too deep");
      return node;
    }
    node.parts.push(this.sequence());
    while (this.problem.length == 0 && this.peek() == 124) {
      this.at++;
      node.parts.push(this.sequence());
    }
    this.depth--;
    return node;
  }

  private sequence(): Node {
    const node = new Node(Shape.Sequence);
    while (this.problem.length == 0) {
      const c = this.peek();
      if (c < 0 || c == 124 || c == 41) break;
      node.parts.push(this.repeated());
    }
    return node;
  }

  /** One atom and how often it may come. */
  private repeated(): Node {
    const atom = this.atom();
    const node = new Node(Shape.Repeat);
    node.parts.push(atom);
    const c = this.peek();
    if (c == 42 || c == 43 || c == 63) {
      this.at++;
      node.low = c == 43 ? 1 : 0;
      node.high = c == 63 ? 1 : -1;
    } else if (c != 123 || !this.counts(node)) {
      return atom;
    }
    // "as few as possible" matches the same texts.
    if (this.peek() == 63) this.at++;
    const again = this.peek();
    if (again == 42 || again == 43) this.fail("a repetition of a repetition");
    return node;
  }

  /** Reads {n}, {n,} or {n,m}; anything else in braces is plain text. */
  private counts(node: Node): bool {
    const start = this.at++;
    const low = this.number();
    let high = low;
    if (low >= 0 && this.peek() == 44) {
      this.at++;
      high = this.peek() == 125 ? -1 : this.number();
    }
    if (low < 0 || this.peek() != 125) {
      this.at = start;
      return false;
    }
    this.at++;
    if (low > REPEAT_LIMIT || high > REPEAT_LIMIT || (high >= 0 && high < low)) {
      this.fail("a repetition that is no range of 0 to 1000");
    }
    node.low = low;
    node.high = high;
    return true;
  }

  private number(): i32 {
    let value = -1;
    while (is_digit(this.peek()) && value <= REPEAT_LIMIT) {
      value = max(value, 0) * 10 + this.next() - 48;
    }
    return value;
  }

  private atom(): Node {
    const c = this.next();
    if (c == 40) return this.group();
    if (c == 91) return this.set();
    if (c == 92) return this.escape();
    if (c == 94) return new Node(Shape.One, new Step(Op.Begin));
    if (c == 36) return new Node(Shape.One, new Step(Op.End));
    if (c == 42 || c == 43 || c == 63) this.fail("a repetition of nothing");
    const step = new Step(Op.Char);
    // "." takes all but the end of a line.
    step.negated = c == 46;
    step.set = c == 46 ? [10, 10] : [c, c];
    return new Node(Shape.One, step);
  }

  private group(): Node {
    if (this.peek() == 63) {
      if (!this.pattern.startsWith("?:", this.at)) this.fail('"(?" other than "(?:"');
      this.at += 2;
    }
    const node = this.choice();
    if (this.next() != 41) this.fail('"(" without ")"');
    return node;
  }

  private escape(): Node {
    const c = this.next();
    if (c == 98) return new Node(Shape.One, new Step(Op.Word));
    if (c == 66) return new Node(Shape.One, new Step(Op.NoWord));
    if (c == 65) return new Node(Shape.One, new Step(Op.Begin));
    if (c == 122) return new Node(Shape.One, new Step(Op.End));
    const step = new Step(Op.Char);
    step.negated = c == 68 || c == 87 || c == 83;
    step.set = this.escaped(c);
    return new Node(Shape.One, step);
  }

  /** What \c stands for, but for a capital's negation. */
  private escaped(c: i32): i32[] {
    const lower = c | 32;
    if (lower == 100) return DIGITS;
    if (lower == 119) return WORDS;
    if (lower == 115) return SPACES;
    if (c == 116) return [9, 9];
    if (c == 110) return [10, 10];
    if (c == 114) return [13, 13];
    if (c < 0 || is_word(c) || c > 126) this.fail(`"\\" before a character without a meaning`);
    return [c, c];
  }

  /** [abc], [^a-z], [\w.]. */
  private set(): Node {
    const step = new Step(Op.Char);
    if (this.peek() == 94) {
      this.at++;
      step.negated = true;
    }
    for (let first = true; this.problem.length == 0; first = false) {
      const c = this.next();
      if (c == 93 && !first) break;
      if (c < 0) this.fail('"[" without "]"');
      else if (c == 91 && this.peek() == 58) this.fail("a class such as [:alpha:]");
      else this.member(step, c);
    }
    return new Node(Shape.One, step);
  }

  /** One character, range or class of a set. */
  private member(step: Step, c: i32): void {
    let part: i32[] = [c, c];
    if (c == 92) {
      const escaped = this.next();
      if (escaped == 68 || escaped == 87 || escaped == 83) this.fail("a negation inside a set");
      part = this.escaped(escaped);
    }
    const range = this.peek() == 45 && !this.pattern.startsWith("-]", this.at);
    if (range && part.length == 2 && part[0] == part[1]) {
      this.at++;
      let high = this.next();
      if (high == 92) high = this.escaped(this.next())[0];
      if (high < part[0]) this.fail("a range that goes backwards");
      part = [part[0], high];
    }
    for (let i = 0; i < part.length; i++) step.set.push(part[i]);
  }

  private push(step: Step): i32 {
    if (this.steps.length >= PROGRAM_LIMIT) this.fail("too large");
    return this.steps.push(step) - 1;
  }

  private emit(node: Node): void {
    if (this.problem.length > 0) return;
    if (node.shape == Shape.One) {
      this.push(node.step);
    } else if (node.shape == Shape.Sequence) {
      for (let i = 0; i < node.parts.length; i++) this.emit(node.parts[i]);
    } else if (node.shape == Shape.Choice) {
      this.emit_choice(node);
    } else {
      this.emit_repeat(node);
    }
  }

  /** Each alternative but the last: Split to it or beyond, and at its end a jump to the end. */
  private emit_choice(node: Node): void {
    const ends = new Array<Step>();
    const last = node.parts.length - 1;
    for (let i = 0; i <= last; i++) {
      const split = new Step(Op.Split);
      if (i < last) split.a = this.push(split) + 1;
      this.emit(node.parts[i]);
      if (i == last) break;
      const end = new Step(Op.Split);
      ends.push(end);
      this.push(end);
      split.b = this.steps.length;
    }
    for (let i = 0; i < ends.length; i++) ends[i].a = ends[i].b = this.steps.length;
  }

  private emit_repeat(node: Node): void {
    const part = node.parts[0];
    for (let i = 0; i < node.low; i++) this.emit(part);
    if (node.high < 0) {
      const split = new Step(Op.Split);
      const start = this.push(split);
      split.a = start + 1;
      this.emit(part);
      const back = new Step(Op.Split);
      back.a = back.b = start;
      this.push(back);
      split.b = this.steps.length;
      return;
    }
    const splits = new Array<Step>();
    for (let i = node.low; i < node.high; i++) {
      const split = new Step(Op.Split);
      split.a = this.push(split) + 1;
      splits.push(split);
      this.emit(part);
    }
    for (let i = 0; i < splits.length; i++) splits[i].b = this.steps.length;
  }

  /** Whether the pattern matches somewhere in the text. */
  matches(text: string): bool {
    let now = new Array<i32>();
    for (let at = 0; at <= text.length; at++) {
      const seen = new Set<i32>();
      const reached = new Array<i32>();
      // What was going on goes on, and a match may begin anywhere.
      now.push(0);
      for (let i = 0; i < now.length; i++) {
        if (this.reach(now[i], text, at, seen, reached)) return true;
      }
      now = new Array<i32>();
      if (at == text.length) break;
      const c = text.charCodeAt(at);
      for (let i = 0; i < reached.length; i++) {
        if (this.steps[reached[i]].takes(c)) now.push(reached[i] + 1);
      }
    }
    return false;
  }

  /** Follows steps that take no character to those that do; true at the end of the pattern. */
  private reach(from: i32, text: string, at: i32, seen: Set<i32>, into: i32[]): bool {
    const open: i32[] = [from];
    while (open.length > 0) {
      const index = open.pop();
      if (seen.has(index)) continue;
      seen.add(index);
      const step = this.steps[index];
      if (step.op == Op.Match) return true;
      if (step.op == Op.Char) {
        into.push(index);
      } else if (step.op == Op.Split) {
        open.push(step.b);
        open.push(step.a);
      } else if (holds(step.op, text, at)) {
        open.push(index + 1);
      }
    }
    return false;
  }
}

function holds(op: Op, text: string, at: i32): bool {
  if (op == Op.Begin) return at == 0;
  if (op == Op.End) return at == text.length;
  const before = at > 0 && is_word(text.charCodeAt(at - 1));
  const after = at < text.length && is_word(text.charCodeAt(at));
  return (before != after) == (op == Op.Word);
}
