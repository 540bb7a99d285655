// Which target is reached? (the records of a run as one table)
// SPDX-License-Identifier: MIT
import { median, ms, percent, ratio, table, us } from './lib/report.mjs';
import { fanOuts, knee, memory, scenarios } from './scenarios.mjs';

const HEAD = ['load', 'Roda', 'beside', 'ratio', 'wanted', 'reached', 'Roda p50 / p99 / p99.9', 'loss'];

const ofPeer = (records, peer) => records.filter((record) => record.peer === peer && !record.error);
const middle = (records, read) => median(records.map(read));
const cost = (records) => middle(records, (record) => record.us_per_packet);

function delays(records) {
  if (records.length === 0) return '';
  return ['p50_us', 'p99_us', 'p999_us'].map((key) => ms(middle(records, ({ delay }) => delay[key]))).join(' / ');
}

const yes = (reached) => (reached ? 'yes' : 'NO');

function scenarioRows(scenario, all) {
  const records = all.filter(({ kind, name }) => kind === 'load' && name === scenario.name);
  const own = ofPeer(records, 'roda');
  if (own.length === 0) return [];
  const lost = own.reduce((sum, record) => sum + record.lost, 0) / own.reduce((sum, record) => sum + record.expected, 0);
  const rows = Object.entries(scenario.atMost).flatMap(([peer, atMost]) => {
    const theirs = ofPeer(records, peer);
    if (theirs.length === 0) return [];
    const value = cost(own) / cost(theirs);
    return [[`${peer} ${us(cost(theirs))}`, ratio(value), `≤ ${ratio(atMost)}`, yes(value <= atMost)]];
  });
  if (scenario.lossless) rows.push(['', percent(lost), 'no loss', yes(lost === 0)]);
  if (rows.length === 0) rows.push(['', '', '', '']);
  return rows.map((row, i) =>
    i === 0 ? [scenario.title, us(cost(own)), ...row, delays(own), percent(lost)] : ['', '', ...row, '', ''],
  );
}

function fanOutRows(all) {
  const at = (listeners) => ofPeer(all.filter(({ kind, name }) => kind === 'fan-out' && name === String(listeners)), 'roda');
  const [few, many] = [50, fanOuts.listeners.at(-1)];
  if (at(few).length === 0 || at(many).length === 0) return [];
  const value = cost(at(many)) / cost(at(few));
  return [[`1 → ${many} against 1 → ${few}`, us(cost(at(many))), `1 → ${few} ${us(cost(at(few)))}`, ratio(value), `≤ ${ratio(fanOuts.atMost)}`, yes(value <= fanOuts.atMost), delays(at(many)), '']];
}

function kneeRows(all) {
  const records = all.filter(({ kind, peer }) => kind === 'knee' && peer === 'roda');
  const found = records.find(({ name }) => name === 'knee');
  const last = records.filter(({ name, rooms }) => name === 'step' && rooms === found?.rooms).at(-1);
  const half = records.find(({ name, error }) => name === 'half' && !error);
  const rows = [];
  if (last) {
    const limited = records.some(({ swarm_limited: limit }) => limit) ? ' (the swarm was at its limit)' : '';
    rows.push([`knee: ${found.rooms} rooms of 4 on one core`, us(last.us_per_packet), '', `${Math.round(last.packets_per_s)} packets/s${limited}`, '', '', delays([last]), percent(last.loss)]);
  }
  if (half) {
    const reached = half.delay.p50_us <= knee.half.p50Us && half.delay.p99_us <= knee.half.p99Us && half.lost === 0;
    rows.push([`half of that: ${half.shape.rooms} rooms`, us(half.us_per_packet), '', '', `p50 ≤ ${ms(knee.half.p50Us)}, p99 ≤ ${ms(knee.half.p99Us)}, no loss`, yes(reached), delays([half]), percent(half.loss)]);
  }
  return rows;
}

/** KiB per listener: the slope of the line through the points. */
function slope(records) {
  const points = records.map(({ shape, rss_kib: kib }) => [shape.listeners, kib]);
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return over / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function memoryRows(all) {
  const records = all.filter(({ kind }) => kind === 'memory');
  const own = ofPeer(records, 'roda');
  const theirs = ofPeer(records, 'janus-loop');
  if (own.length < 2) return [];
  const kib = (value) => `${value.toFixed(0)} KiB`;
  const beside = theirs.length > 1 ? `janus-loop ${kib(slope(theirs))}` : '';
  return [[memory.title, kib(slope(own)), beside, theirs.length > 1 ? ratio(slope(own) / slope(theirs)) : '', `≤ ${kib(memory.atMostKib)}`, yes(slope(own) <= memory.atMostKib), '', '']];
}

export function summarize(records) {
  const rows = [...scenarios.flatMap((scenario) => scenarioRows(scenario, records)), ...fanOutRows(records), ...kneeRows(records), ...memoryRows(records)];
  const failed = records.filter(({ error }) => error).map(({ name, peer, error }) => `${name}, ${peer}: ${error.split('\n')[0]}`);
  const machine = records.find(({ kind }) => kind === 'machine');
  const head = machine ? `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; Roda ${machine.roda}, Janus ${machine.janus ?? '-'}\n\n` : '';
  return `${head}${rows.length ? table(HEAD, rows) : ''}${failed.length ? `\n\nnot measured:\n${failed.join('\n')}` : ''}`;
}
