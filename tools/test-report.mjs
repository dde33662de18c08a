// SPDX-License-Identifier: Apache-2.0
// What is told of a run of tests at its end, beside what vitest tells: why tests were skipped,
// which files took longest, and one line of counts. Where no terminal shows that it goes on, a line
// every now and then says so. What -t leaves out was not asked for: it is not counted. It decides
// nothing about tests.
const HEARTBEAT_MS = 20_000;
const SLOWEST = 25;
/** A run that is over sooner needs no list of slow files. */
const LONG_MS = 60_000;

const seconds = (time_ms) => `${(time_ms / 1000).toFixed(0).padStart(5)} s`;

/** A vitest reporter. */
export class TestReport {
  #beats;
  #vitest;
  #beat;
  #start_ms = Date.now();
  #state = { passed: 0, failed: 0, skipped: 0 };
  #running = new Set();
  #reasons = new Map();
  #durations = [];

  /** `beat`: whether to tell every now and then how far the run is. */
  constructor({ beat }) {
    this.#beats = beat;
  }

  onInit(vitest) {
    this.#vitest = vitest;
    if (!this.#beats) return;
    this.#beat = setInterval(() => console.log(this.#progress()), HEARTBEAT_MS);
    this.#beat.unref();
  }

  onTestModuleStart(module) {
    this.#running.add(module);
  }

  onTestModuleEnd(module) {
    this.#running.delete(module);
    this.#durations.push([module.diagnostic().duration, module.relativeModuleId]);
    const broke = module.errors().length > 0;
    if (broke) this.#state.failed++;
  }

  onTestCaseResult(test) {
    const { state } = test.result();
    if (state === 'skipped' && !this.#asked(test)) return;
    this.#state[state]++;
    if (state === 'skipped') this.#noteReason(test);
  }

  onTestRunEnd(_modules, errors) {
    clearInterval(this.#beat);
    this.#state.failed += errors.length;
  }

  /** Whether there were tests, and none of them failed. */
  get good() {
    return this.#state.failed === 0 && this.#state.passed > 0;
  }

  /** The lines for the end, that with the counts last. */
  lines() {
    const why = [...this.#reasons].map(([reason, count]) => `skipped ${count}: ${reason}`);
    const slow = this.#durations.sort(([a], [b]) => b - a).slice(0, SLOWEST);
    const long = Date.now() - this.#start_ms > LONG_MS && this.#durations.length > 1;
    const table = slow.map(([time_ms, path]) => `${seconds(time_ms)}  ${path}`);
    return [...why, ...(long ? ['slowest files:', ...table] : []), this.#counts()];
  }

  #counts() {
    const { passed, failed, skipped } = this.#state;
    return `${passed} passed, ${failed} failed, ${skipped} skipped`;
  }

  #progress() {
    const running = [...this.#running].map((module) => {
      const tests = [...module.children.allTests()];
      const done = tests.filter((test) => test.result().state !== 'pending').length;
      return `${module.relativeModuleId} (${done} of ${tests.length})`;
    });
    const after = seconds(Date.now() - this.#start_ms).trim();
    return `after ${after}: ${this.#counts()}; ${running.join(', ') || 'starting'}`;
  }

  #asked(test) {
    const pattern = this.#vitest.getGlobalTestNamePattern();
    return pattern === undefined || test.fullName.match(pattern) !== null;
  }

  /** The reason stands in the title of the test or of its group; a fixture's stands before it. */
  #noteReason(test) {
    const group = test.parent.type === 'module' ? '' : test.parent.fullName;
    const needs = /needs .*$/.exec(group) ?? /needs .*$/.exec(test.name);
    const words = `${group} ${test.name.replace(/^[\w-]+\/[\w.-]+ /, '')}`;
    const reason = needs?.[0] ?? words.trim().replace(/ +/g, ' ');
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }
}
