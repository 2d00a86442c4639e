/** The other half of `seeds.spec.ts`. */
import { playSeeds } from './play-seeds.js';

playSeeds(1_001, 1_000);
