//! The power goes off after any effect: the next run arrives where an undisturbed one does, and repeats nothing.

use std::sync::Arc;

use proptest::prelude::*;

use super::properties::{case, repeatable, same};
use super::world::*;
use crate::rules::{Hook, Occasion};

/// Everything that happens is told.
fn heard(mut world: World) -> World {
    let listeners = Occasion::ALL.map(|occasion| (occasion, Hook::Js("tell.mjs".into())));
    Arc::get_mut(&mut world.planner.inputs).unwrap().rules.on_event = listeners.into();
    world
}

const PLENTY: usize = usize::MAX / 2;

proptest! {
    #![proptest_config(repeatable(12))]

    #[test]
    fn killed_anywhere_it_ends_on_the_same_board(case in case(&Outcome::WORK, 2), again in prop::option::of(0..40usize)) {
        let mut calm = heard(case.by_attempt());
        calm.power(PLENTY);
        calm.run().2.unwrap();
        let effects = PLENTY - calm.left();
        for fuel in 0..effects {
            let mut world = heard(case.by_attempt());
            world.power(fuel);
            let (dying, _, ended) = world.run();
            prop_assert!(ended.is_err(), "{} of {} effects", fuel, effects);
            // What was kept is what was lived, whatever moment it ended at.
            same(&dying, &fold(&world.disk.records()));
            // A second power cut, in the middle of the recovery; without one, the recovering run does all that is left.
            let cuts = 1 + again.map_or(0, |again| {
                world.power(again);
                usize::from(world.run().2.is_err())
            });
            world.power(PLENTY);
            world.run().2.unwrap();
            prop_assert_eq!(world.places(), calm.places(), "after {} of {} effects", fuel, effects);
            let (executed, undisturbed) = (world.executed.len(), calm.executed.len());
            prop_assert!(executed <= undisturbed + cuts, "{} executions, {} undisturbed", executed, undisturbed);
            world.check_work();
            prop_assert!(world.hooks <= calm.hooks, "{} hooks, {} undisturbed", world.hooks, calm.hooks);
        }
    }
}
