package io.rasterflow.monitoring.alarm;

import io.rasterflow.monitoring.event.Event;

/** The run has ended before its time: a loss that is not finite, too many bad samples, no node left. */
final class RunFailed implements Detector {

    @Override
    public void event(Event event, long nowMillis, Board board) {
        if (event instanceof Event.RunEnded end && end.outcome().equals("failed")) {
            String why = end.detail() == null || end.detail().isBlank() ? "" : ": " + end.detail();
            board.judge(
                    AlarmKind.RUN_FAILED,
                    "",
                    true,
                    false,
                    Double.NaN,
                    Double.NaN,
                    () -> "the run has failed at step " + end.step() + why);
        }
    }
}
