/** Loaded before a real `reeve` (`--import`): locks are renewed and looked at often, so that who waits for one sees it at once. */
import { LOCK_TIMES } from '../../runner/execute/held-lock.ts';

LOCK_TIMES.renew = 200;
LOCK_TIMES.look = 100;
