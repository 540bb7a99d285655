// Which pictures does a run give?
// SPDX-License-Identifier: MIT
import { lineChart } from './lib/chart.mjs';
import { median } from './lib/report.mjs';
import { knee } from './scenarios.mjs';

const NAMES = { roda: 'Roda', floor: 'bare loop', 'janus-loop': 'Janus, 1 loop', janus: 'Janus' };
const COLOURS = { roda: '#2563eb', floor: '#6b7280', 'janus-loop': '#dc2626', janus: '#d97706' };

function where(records) {
  const machine = records.find(({ kind }) => kind === 'machine');
  return machine ? `${machine.cpu}, Linux ${machine.kernel}` : '';
}

function fanOutChart(records) {
  const points = records.filter(({ kind, error }) => kind === 'fan-out' && !error);
  const peers = [...new Set(points.map(({ peer }) => peer))];
  if (peers.length === 0) return null;
  const series = peers.map((peer) => {
    const own = points.filter((point) => point.peer === peer);
    const counts = [...new Set(own.map(({ name }) => Number(name)))].sort((a, b) => a - b);
    const at = (count) => own.filter(({ name }) => Number(name) === count).map((point) => point.us_per_packet);
    return { name: NAMES[peer] ?? peer, colour: COLOURS[peer], points: counts.map((count) => [count, median(at(count))]) };
  });
  return lineChart({
    title: 'Server CPU per forwarded packet', subtitle: `300 packets/s of 1,100 bytes in bursts of 10, GCM_128; ${where(records)}`,
    xTitle: 'receivers of one publisher', yTitle: 'µs (user + system)', series,
  });
}

function steps(records, peer) {
  return records.filter((record) => record.kind === 'knee' && record.name === 'step' && record.peer === peer);
}

function kneeMark(records) {
  const found = records.find(({ kind, name, peer }) => kind === 'knee' && name === 'knee' && peer === 'roda');
  const last = steps(records, 'roda').find(({ rooms }) => rooms === found?.rooms);
  return last ? { x: last.packets_per_s, name: `knee: ${last.rooms} rooms` } : undefined;
}

function delayChart(records) {
  const points = steps(records, 'roda');
  if (points.length < 2) return null;
  const line = (name, key) => ({ name, points: points.map((point) => [point.packets_per_s, point.delay[key] / 1000]) });
  return lineChart({
    title: 'Delay through Roda under load', subtitle: `rooms of 4, 1.5 Mbit/s video and Opus each, one core; ${where(records)}`,
    xTitle: 'packets/s delivered', yTitle: 'ms (logarithmic)', log: true,
    series: [line('p50', 'p50_us'), line('p99', 'p99_us'), line('p99.9', 'p999_us')],
    limit: { y: knee.p99Us / 1000, name: 'p99 that is too much' }, mark: kneeMark(records),
  });
}

function kneeChart(records) {
  const peers = ['roda', 'janus-loop'].filter((peer) => steps(records, peer).length > 1);
  if (peers.length === 0) return null;
  const series = peers.map((peer) => ({ name: NAMES[peer], colour: COLOURS[peer], points: steps(records, peer).map(({ rooms, delay }) => [rooms, delay.p99_us / 1000]) }));
  return lineChart({
    title: 'Rooms of 4 on one core', subtitle: `p99 delay; 1.5 Mbit/s video and Opus each; ${where(records)}`,
    xTitle: 'rooms', yTitle: 'ms (logarithmic)', log: true, series, limit: { y: knee.p99Us / 1000, name: 'p99 that is too much' },
  });
}

/** File name -> SVG text. */
export function drawCharts(records) {
  const charts = { 'cost-by-fan-out': fanOutChart(records), 'delay-by-load': delayChart(records), knee: kneeChart(records) };
  return Object.fromEntries(Object.entries(charts).filter(([, svg]) => svg));
}
