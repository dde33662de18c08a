// SPDX-License-Identifier: Apache-2.0
// The entry `fairlead/simulated` of the npm package: a kernel and files in memory, drivers around
// drivers, and pictures of a state. It imports nothing of Node.
export {
  failing,
  type Recorded,
  recording,
  replaying,
  traceLine,
  wrap,
} from '../drivers/record.ts';
export { type SimulatedDriver, simulatedDriver } from '../drivers/simulated.ts';
export { mermaidOf } from '../picture/mermaid.ts';
export { type Model, modelOf } from '../picture/model.ts';
export { type SvgOptions, svgOf } from '../picture/svg.ts';
export { type Change, difference } from '../story/difference.ts';
