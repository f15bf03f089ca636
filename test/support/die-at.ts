/** Loaded before a real `reeve` (`--import`): ends it by SIGKILL at the point of its journal that the environment names. */
import { DISK } from '../../runner/journal/disk.ts';
import { DEATH, type DeathPoint, reaches } from './death-point.ts';
import { dyingDisk } from './dying-disk.ts';

const text = process.env[DEATH];
if (text !== undefined) {
  const point = JSON.parse(text) as DeathPoint;
  Object.assign(DISK, dyingDisk({ ...DISK }, reaches(point), point.edge));
}
