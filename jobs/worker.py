"""The threads that do the jobs. They know when: whose turn it is, how long a lease lasts, when to try again.

What a job does stands in the gateway. Any number of workers, in any number of processes, share one queue by leases.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from threading import Event, Lock, Thread
from time import monotonic

from errors import AtCapacity, ClientGone, DatabaseUnavailable, StowgramError, Transient
from gateway.background.jobs import Jobs
from model import Job

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
"""How long a worker that says nothing is thought to live."""
BEAT = 1.0
"""Seconds between two signs of life, each with how far the job is; so soon a worker learns that it was cancelled."""
REST = 1.0
"""Seconds between two looks for work."""
MOST_ATTEMPTS = 6
"""Without progress between them."""
BACK_OFF, MOST_BACK_OFF = 5.0, 300.0
"""Seconds until the second attempt, doubled with each that follows, and at most."""
PAUSE_AFTER_FAILURE = 30.0
"""Seconds that a worker rests after what nobody foresaw."""
UNEXPECTED = "Something went wrong here. The log has it under the job's number."


class _Running:
    """A job in the hands of a worker: written by its thread, read by the one that gives signs of life."""

    def __init__(self, job: Job, stopping: Event) -> None:
        self.job = job
        self.done = job.done
        self.lost = False
        """It was cancelled, or another worker has it."""
        self._stopping = stopping

    def progress(self, done: int) -> None:
        self.done = done

    def stopped(self) -> bool:
        return self.lost or self._stopping.is_set()


class Workers:
    """Threads that work, and one that tells that they live: a job may wait for its store longer than a lease lasts. It
    cannot hang, since each of its waits has a deadline.
    """

    def __init__(
        self,
        jobs: Jobs,
        name: str,
        threads: Mapping[str, int],
        *,
        rest: float = REST,
        beat: float = BEAT,
        lease: timedelta = LEASE,
    ) -> None:
        """`name` is this process's alone, and the same when it begins anew: what it was doing then it goes on with at
        once. Each kind of job has so many `threads`, and waits for no other. `rest` and `beat` in seconds.
        """
        self._jobs = jobs
        self._rest, self._beat, self._lease = rest, beat, lease
        self._name = name
        self._stopping = Event()
        self._running: dict[str, _Running] = {}
        self._lock = Lock()  # guards the dict: workers come and go while the pulse goes through it
        self._threads = [
            Thread(
                target=self._work, args=(f"{name} {kind} {number}", kind), name=f"worker: {kind}", daemon=True
            )
            for kind, count in threads.items()
            for number in range(count)
        ]
        self._pulse = Thread(target=self._beats, name="workers: pulse", daemon=True)

    def __repr__(self) -> str:
        state = "stopping" if self._stopping.is_set() else "running"
        return f"<Workers {state}: {len(self._threads)} threads, {len(self._running)} jobs>"

    def start(self) -> None:
        self._jobs.take_back(self._name)
        for thread in (*self._threads, self._pulse):
            thread.start()

    def stop(self, seconds: float = 2.0) -> None:
        """Have running jobs put back, and wait up to `seconds` for that. One that is not is left to its lease."""
        self._stopping.set()
        deadline = monotonic() + seconds
        for thread in (*self._threads, self._pulse):
            thread.join(max(0.0, deadline - monotonic()))

    def _work(self, worker: str, kind: str) -> None:
        while not self._stopping.is_set():
            try:
                job = self._jobs.claim(worker, self._lease, [kind])
                self._jobs.note(worker, None)
                if job is not None:
                    self._do(job, worker)
                    continue
            # The database, or the disk while it was cleared up; what the job itself met was noted with it.
            except (StowgramError, OSError) as error:
                log.warning("a worker: %s", error)
            except Exception as error:  # its thread is the only one for its kind, perhaps: it must not end
                log.exception("a worker failed")
                name = type(error).__name__
                self._jobs.note(worker, f"Jobs of the kind {kind} are not done ({name}). See the log.")
                self._stopping.wait(PAUSE_AFTER_FAILURE)
                continue
            self._stopping.wait(self._rest)

    def _do(self, job: Job, worker: str) -> None:
        running = _Running(job, self._stopping)
        with self._lock:
            self._running[worker] = running
        try:
            log.info("job %s: %s, attempt %d", job.id, job.kind, job.attempts)
            self._attempt(running, worker)
        finally:
            with self._lock:
                del self._running[worker]

    def _attempt(self, running: _Running, worker: str) -> None:
        job = running.job
        if job.attempts > MOST_ATTEMPTS:  # each of them ended with its process
            self._jobs.fail(job, worker, "It was begun again and again, and never came to an end.")
            return
        try:
            made = self._jobs.perform(job, running.progress, running.stopped)
        except ClientGone:
            if running.lost:
                self._jobs.clear(job)
            else:
                self._jobs.put_back(job, worker, timedelta(), None)
        except AtCapacity as error:  # its turn has not come, which is no failure
            self._jobs.put_back(job, worker, timedelta(seconds=error.retry_after), None)
        except Transient as error:
            self._try_again(running, worker, error)
        except DatabaseUnavailable:  # not even this can be written: it is left to its lease
            raise
        except StowgramError as error:
            log.warning("job %s failed: %s", job.id, error)
            self._jobs.fail(job, worker, str(error))
        except Exception:
            log.exception("job %s failed", job.id)
            self._jobs.fail(job, worker, UNEXPECTED)
        else:
            self._jobs.finish(job, worker, made)
            log.info("job %s is done", job.id)

    def _try_again(self, running: _Running, worker: str, error: Transient) -> None:
        attempts = 1 if running.done > running.job.started_from else running.job.attempts
        if attempts >= MOST_ATTEMPTS:
            self._jobs.fail(running.job, worker, f"It was tried {attempts} times. {error}")
            return
        pause = max(min(BACK_OFF * 2 ** (attempts - 1), MOST_BACK_OFF), error.retry_after)
        log.warning("job %s: %s (again in %.0f s)", running.job.id, error, pause)
        self._jobs.put_back(running.job, worker, timedelta(seconds=pause), str(error))

    def _beats(self) -> None:
        """Renew every lease, again and again."""
        while not self._stopping.wait(self._beat):
            with self._lock:
                running = tuple(self._running.items())
            for worker, one in running:
                try:
                    one.lost = one.lost or not self._jobs.renew(one.job, worker, one.done, self._lease)
                except StowgramError as error:  # the next one may go well, before the lease is over
                    log.warning("the lease of job %s was not renewed: %s", one.job.id, error)
                except Exception:
                    log.exception("the lease of job %s was not renewed", one.job.id)
