package io.rasterflow.monitoring.action;

import java.util.concurrent.CompletionStage;

/** A run that can be asked for something; whoever runs it implements this for the page. */
public interface RunActions {

    /** Answers as soon as it is known whether it will be done; fails when nobody answers. */
    CompletionStage<ActionAnswer> ask(ActionRequest request);
}
