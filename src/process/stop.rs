//! The wish to stop: told once, a job is ended with its grace; told again, at once.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::tool;

/// So far apart a tree's processes get the same signal.
const SOON: Duration = Duration::from_millis(300);

/// What asked for the stop; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM or SIGHUP.
    Terminate,
}

#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    times: u32,
    first: Option<Signal>,
}

impl Asked {
    fn insisted(self) -> Option<Signal> {
        self.first.filter(|_| self.times > 1)
    }
}

/// Where a stop is heard.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: Option<watch::Receiver<Asked>>,
}

/// Where a stop is asked for.
#[derive(Debug, Clone)]
pub struct Stopper {
    asked: watch::Sender<Asked>,
}

impl Stop {
    /// Nobody will ask.
    pub fn never() -> Stop {
        Stop { asked: None }
    }

    pub fn channel() -> (Stopper, Stop) {
        let (sender, receiver) = watch::channel(Asked::default());
        (Stopper { asked: sender }, Stop { asked: Some(receiver) })
    }

    /// Asked for by SIGINT, SIGTERM and SIGHUP to this process, which no longer end it from here on; nor does SIGXFSZ: a file
    /// that grows beyond its limit is an error of the write. They are heard on a thread of their own: the runner's waits for
    /// git, and would start another codex before it heard of them.
    pub fn on_signals() -> io::Result<Stop> {
        let (stopper, stop) = Stop::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        drop(entered);
        let hear = async move {
            loop {
                let signal = tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                    _ = hangup.recv() => Signal::Terminate,
                };
                stopper.ask(signal);
                if stopper.insisted() {
                    tool::end_running();
                }
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(hear))?;
        Ok(stop)
    }

    /// The first signal that asked, if any did.
    pub fn asked(&self) -> Option<Signal> {
        self.asked.as_ref().and_then(|asked| asked.borrow().first)
    }

    /// The first signal that asked, if it was asked for again.
    pub fn insisted(&self) -> Option<Signal> {
        self.asked.as_ref().and_then(|asked| asked.borrow().insisted())
    }

    /// Waits until it was asked for more than `times` times; gives how often.
    pub(super) async fn beyond(&mut self, times: u32) -> u32 {
        if let Some(receiver) = &mut self.asked {
            let asked = receiver.wait_for(|asked| asked.times > times).await.map(|asked| asked.times);
            if let Ok(times) = asked {
                return times;
            }
        }
        // Nobody is left who could ask.
        pending().await
    }

    /// Whether it was asked for, or is in a moment.
    pub(super) async fn soon(&mut self) -> bool {
        self.asked.is_some() && timeout(SOON, self.beyond(0)).await.is_ok()
    }

    /// Waits until a stop was asked for, by whom first.
    pub async fn wait(&mut self) -> Signal {
        self.beyond(0).await;
        match self.asked() {
            Some(signal) => signal,
            None => pending().await,
        }
    }
}

impl Stopper {
    pub fn ask(&self, signal: Signal) {
        self.asked.send_modify(|asked| {
            asked.times = asked.times.saturating_add(1);
            asked.first.get_or_insert(signal);
        });
    }

    fn insisted(&self) -> bool {
        self.asked.borrow().insisted().is_some()
    }
}
