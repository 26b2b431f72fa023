//! The calls of `AdminService` that concern named subscriptions; repeated as the others there.

use parloir_proto::v1::{
    CreateSubscriptionRequest, CreateSubscriptionResponse, DeleteSubscriptionRequest,
    DeleteSubscriptionResponse, GetSubscriptionRequest, GetSubscriptionResponse,
    ListParkedEventsRequest, ListParkedEventsResponse, ListSubscriptionsRequest,
    ListSubscriptionsResponse, MoveSubscriptionRequest, MoveSubscriptionResponse,
    RedriveParkedEventsRequest, RedriveParkedEventsResponse, UpdateSubscriptionRequest,
    UpdateSubscriptionResponse,
};

use crate::{Client, Error, client::Repeat};

impl Client {
    /// Makes a named subscription before its first member comes.
    pub async fn create_subscription(
        &self,
        request: CreateSubscriptionRequest,
    ) -> Result<CreateSubscriptionResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.create_subscription(request).await
        })
        .await
    }

    /// Reads a named subscription: what is in force, who is there, how far it is.
    pub async fn get_subscription(
        &self,
        request: GetSubscriptionRequest,
    ) -> Result<GetSubscriptionResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.get_subscription(request).await
        })
        .await
    }

    /// Reads one page of the named subscriptions.
    pub async fn list_subscriptions(
        &self,
        request: ListSubscriptionsRequest,
    ) -> Result<ListSubscriptionsResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_subscriptions(request).await
        })
        .await
    }

    /// Changes how a named subscription hands out.
    pub async fn update_subscription(
        &self,
        request: UpdateSubscriptionRequest,
    ) -> Result<UpdateSubscriptionResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.update_subscription(request).await
        })
        .await
    }

    /// Deletes a named subscription with its position and all that is parked.
    pub async fn delete_subscription(
        &self,
        request: DeleteSubscriptionRequest,
    ) -> Result<DeleteSubscriptionResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.delete_subscription(request).await
        })
        .await
    }

    /// Reads one page of what is parked in a named subscription.
    pub async fn list_parked_events(
        &self,
        request: ListParkedEventsRequest,
    ) -> Result<ListParkedEventsResponse, Error> {
        self.on_admin(Repeat::Safe, request, |mut calls, request| async move {
            calls.list_parked_events(request).await
        })
        .await
    }

    /// Hands parked events out again, or counts them.
    pub async fn redrive_parked_events(
        &self,
        request: RedriveParkedEventsRequest,
    ) -> Result<RedriveParkedEventsResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.redrive_parked_events(request).await
        })
        .await
    }

    /// Moves the position of a named subscription.
    pub async fn move_subscription(
        &self,
        request: MoveSubscriptionRequest,
    ) -> Result<MoveSubscriptionResponse, Error> {
        self.on_admin(Repeat::Never, request, |mut calls, request| async move {
            calls.move_subscription(request).await
        })
        .await
    }
}
