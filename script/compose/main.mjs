// How does a recorded session become one film?
// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { audioGraph, videoGraph } from './graph.mjs';
import { scenes } from './plan.mjs';

const HELP = `Makes one film of a recorded session.

  script/compose-recording [options] DIR

DIR is a recording: it has a manifest.json. Everybody is seen with their name, at the time they were there; a shared
screen takes the large place; all voices are mixed. Needs ffmpeg and node.

  --view grid|speaker   everybody alike, or whoever speaks large [grid]
  --height PIXELS       of the film, whose shape is 16:9 [720]
  --fps NUMBER          pictures a second [25]
  --out FILE            .mp4 (H.264, AAC) or .webm (VP9, Opus) [DIR/session.mp4]
  --help
`;
const SCENES_AT_ONCE = 100; // in one filter graph; longer films are made in parts

const CODECS = {
  mp4: {
    video: ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p'],
    audio: ['-c:a', 'aac', '-b:a', '128k', '-movflags', '+faststart'],
  },
  webm: {
    video: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '6', '-row-mt', '1', '-b:v', '0', '-crf', '34'],
    audio: ['-c:a', 'libopus', '-b:a', '96k'],
  },
};

class Refusal extends Error {}

function readOptions(argv) {
  const option = (name, value) => [name, { type: 'string', default: value }];
  const options = Object.fromEntries([option('view', 'grid'), option('height', '720'), option('fps', '25'), option('out')]);
  let parsed;
  try {
    parsed = parseArgs({ args: argv, allowPositionals: true, options: { ...options, help: { type: 'boolean' } } });
  } catch (error) {
    throw new Refusal(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: true };
  const height = Number(values.height);
  const fps = Number(values.fps);
  if (positionals.length !== 1) throw new Refusal('name one recording; --help says more');
  if (!['grid', 'speaker'].includes(values.view)) throw new Refusal('--view: grid or speaker');
  if (!Number.isInteger(height) || height < 120 || height > 4320) throw new Refusal('--height: from 120 to 4320');
  if (!Number.isInteger(fps) || fps < 1 || fps > 60) throw new Refusal('--fps: from 1 to 60');
  const dir = resolve(positionals[0]);
  const out = values.out ? resolve(values.out) : join(dir, 'session.mp4');
  const format = /\.(mp4|webm)$/.exec(out)?.[1];
  if (!format) throw new Refusal('--out: a name that ends in .mp4 or .webm');
  const width = Math.round((height * 16) / 9 / 2) * 2;
  return { dir, out, format, view: values.view, fps, height: Math.floor(height / 2) * 2, width };
}

function readManifest(dir) {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
  } catch (error) {
    throw new Refusal(`${dir} is no recording: ${error.message}`);
  }
  if (manifest.state === 'recording') throw new Refusal('it is still being recorded');
  if (!(manifest.duration > 0)) throw new Refusal('nothing was recorded');
  for (const { file } of manifest.tracks) {
    if (/^\.|\//.test(file)) throw new Refusal(`the manifest names a file elsewhere: ${file}`);
  }
  return manifest;
}

/** What is being done, in one line; on a terminal also how far it is, in the same line. */
function report(text) {
  const { stderr } = process;
  stderr.write(stderr.isTTY ? `${text} ... 0 %` : `${text}\n`);
  return {
    progress: (part) => stderr.isTTY && stderr.write(`\r${text} ... ${Math.min(99, Math.floor(100 * part))} %`),
    end: (word) => stderr.isTTY && stderr.write(`\r${text} ... ${word}\n`),
  };
}

/** `onTime` is told how many seconds of the output are made. */
function ffmpeg(args, onTime = () => {}) {
  return new Promise((done, failed) => {
    const all = ['-nostdin', '-hide_banner', '-v', 'error', '-nostats', '-progress', 'pipe:1', '-y', ...args];
    const child = spawn('ffmpeg', all, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (text) => {
      const time = /out_time_us=(\d+)/.exec(text);
      if (time) onTime(Number(time[1]) / 1e6);
    });
    child.on('error', () => failed(new Refusal('ffmpeg is not installed')));
    child.on('exit', (status) => (status === 0 ? done() : failed(new Refusal(`ffmpeg ended with ${status}`))));
  });
}

/** The pictures, in as many parts as needed; returns the list that ffmpeg's concat reads. */
async function makePictures(all, options, work, onTime) {
  const list = [];
  let names = 0;
  const nameFile = (text) => {
    const path = join(work, `name${names++}`);
    writeFileSync(path, text.replace(/\p{Cc}/gu, ' '));
    return path;
  };
  for (let first = 0; first < all.length; first += SCENES_AT_ONCE) {
    const { files, graph } = videoGraph(all.slice(first, first + SCENES_AT_ONCE), options, nameFile);
    const script = join(work, 'graph');
    const part = join(work, `part${first}.mkv`);
    writeFileSync(script, graph);
    const inputs = files.flatMap((file) => ['-reinit_filter', '0', '-i', join(options.dir, file)]);
    const output = ['-map', '[out]', ...CODECS[options.format].video, part];
    await ffmpeg([...inputs, '-filter_complex_script', script, ...output], (time) => onTime(all[first].from + time));
    list.push(`file '${part}'`);
  }
  const path = join(work, 'parts');
  writeFileSync(path, list.join('\n'));
  return path;
}

async function makeFilm(manifest, options, work, onTime) {
  const parts = await makePictures(scenes(manifest, options), options, work, onTime);
  const voices = manifest.tracks.filter(({ kind, state, duration }) => kind === 'audio' && state !== 'missing' && duration > 0);
  const script = join(work, 'sound');
  writeFileSync(script, audioGraph(voices, manifest.duration));
  const inputs = voices.flatMap(({ file }) => ['-i', join(options.dir, file)]);
  const film = join(work, `film.${options.format}`);
  const pictures = ['-f', 'concat', '-safe', '0', '-i', parts];
  const maps = ['-map', '[out]', '-map', `${voices.length}:v`, '-c:v', 'copy'];
  await ffmpeg([...inputs, ...pictures, '-filter_complex_script', script, ...maps, ...CODECS[options.format].audio, film]);
  return film;
}

/** Where the film is written until it is whole. Whoever may read the recording may read it, nobody else. */
function startFile({ dir, out }) {
  const path = `${out}.part`;
  rmSync(path, { force: true });
  writeFileSync(path, '', { mode: 0o600 });
  const { uid, gid } = statSync(join(dir, 'manifest.json'));
  if (process.getuid() === 0) chownSync(path, uid, gid);
  return path;
}

async function main(argv) {
  const options = readOptions(argv);
  if (options.help) return void process.stdout.write(HELP);
  const manifest = readManifest(options.dir);
  const { tracks, duration } = manifest;
  const line = report(`compose-recording: composing ${tracks.length} tracks of ${Math.round(duration)} s into ${options.out}`);
  const work = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'compose-'));
  let word = 'failed';
  try {
    const film = await makeFilm(manifest, options, work, (time) => line.progress(time / duration));
    const part = startFile(options);
    await ffmpeg(['-i', film, '-c', 'copy', ...(options.format === 'mp4' ? ['-movflags', '+faststart'] : []), '-f', options.format, part]);
    renameSync(part, options.out);
    word = 'done';
  } finally {
    line.end(word);
    rmSync(work, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`compose-recording: ${error instanceof Refusal ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
